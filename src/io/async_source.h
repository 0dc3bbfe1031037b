#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/source.h"

namespace sluice::io {

/// Reads with Boost.Asio over io_uring, past the page cache (O_DIRECT) where the file system
/// allows. Null, with a reason, where the kernel or a sandbox forbids io_uring.
std::unique_ptr<Source> open_async_source(std::vector<const File*> files, std::string& reason);

}  // namespace sluice::io
