#pragma once

#include <memory>
#include <vector>

#include "io/source.h"

namespace sluice::io {

/// Reads samples of files, on the calling thread, without a trace in the page cache: past it where
/// the file system allows, else through it, dropping what was not there before.
std::unique_ptr<Source> open_uncached_source(std::vector<const File*> files);

}  // namespace sluice::io
