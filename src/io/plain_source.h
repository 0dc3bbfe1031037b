#pragma once

#include <memory>
#include <span>

#include "io/source.h"

namespace sluice::io {

/// Reads with pread on the calling thread, one range after the other: works everywhere.
std::unique_ptr<Source> open_plain_source(std::span<const File> parts);

}  // namespace sluice::io
