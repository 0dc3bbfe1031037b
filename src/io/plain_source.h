#pragma once

#include <memory>
#include <vector>

#include "io/source.h"

namespace sluice::io {

/// Reads with pread on the calling thread, one range after the other: works everywhere.
std::unique_ptr<Source> open_plain_source(std::vector<const File*> files);

}  // namespace sluice::io
