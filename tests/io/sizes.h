#pragma once

#include <cstddef>

namespace sluice::io {

inline constexpr std::size_t kPage = 4096;
inline constexpr std::size_t kMiB = std::size_t{1} << 20;

}  // namespace sluice::io
