#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#pragma GCC visibility push(default)

namespace sluice {

/// `1.5 GiB`, `312.0 MiB`, `17 B`.
std::string bytes_text(double bytes);

/// `1 tensor`, `2 tensors`, `0 entries`.
/// \param many  the word for other numbers than one; empty: `one` with an s
std::string counted(std::uint64_t count, std::string_view one, std::string_view many = "");

}  // namespace sluice

#pragma GCC visibility pop
