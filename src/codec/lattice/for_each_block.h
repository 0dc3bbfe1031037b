#pragma once

#include <cstddef>
#include <cstring>

namespace sluice::inline SLUICE_ISA {

/// Calls decode(block, out) for each block of `kElements` weights. Blocks are copied out first: a
/// file gives no alignment.
template <typename Block, std::size_t kElements, typename Decode>
void for_each_block(const std::byte* blocks, float* out, std::size_t elements,
                    const Decode& decode) noexcept {
  for (std::size_t i = 0; i < elements / kElements; ++i) {
    Block block;
    std::memcpy(&block, blocks + i * sizeof(Block), sizeof(Block));
    decode(block, out + i * kElements);
  }
}

}  // namespace sluice::inline SLUICE_ISA
