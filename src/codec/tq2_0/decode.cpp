#include <cstring>

#include "base/float16.h"
#include "codec/packing/finite_scales.h"
#include "codec/packing.h"
#include "codec/tq2_0/tq2_0.h"

namespace sluice::inline SLUICE_ISA {

void decode_tq2_0(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t start = 0; start < elements; start += 256, blocks += sizeof(BlockTQ2_0)) {
    BlockTQ2_0 block;
    std::memcpy(&block, blocks, sizeof block);
    const float d = f16_to_f32(block.d);
    std::uint8_t codes[256];
    unpack_two_bits(block.codes, codes);
    for (const std::uint8_t code : codes) *out++ = static_cast<float>(code - 1) * d;
  }
}

bool scales_finite_tq2_0(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockTQ2_0>(blocks, count,
                                [](const BlockTQ2_0& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
