#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "sluice/forecast.h"

namespace sluice {

/// Looks at the file system of an output of `size` bytes, and at what an earlier run has set aside
/// there. Never throws for what is not there.
/// \param output  may be empty: the working folder
/// \param files   those that the output is made in until it is whole
DiskSpace disk_space(const std::string& output, std::span<const std::string> files,
                     std::uint64_t size);

}  // namespace sluice
