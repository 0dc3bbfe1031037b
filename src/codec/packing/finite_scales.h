#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/half.h"

namespace sluice::inline SLUICE_ISA {

/// Whether `finite`, asked about each of `count` blocks, says yes to all. Without a branch a block,
/// so that it runs on vectors where the compiler can.
template <typename Block, typename Finite>
bool all_blocks(const std::byte* blocks, std::size_t count, Finite finite) noexcept {
  bool all = true;
  for (std::size_t i = 0; i < count; ++i) {
    Block block;
    std::memcpy(&block, blocks + i * sizeof block, sizeof block);
    all = all & finite(block);
  }
  return all;
}

}  // namespace sluice::inline SLUICE_ISA
