#include <cstring>

#include "base/float16.h"
#include "codec/packing/finite_scales.h"
#include "codec/packing/six_bit_pairs.h"
#include "codec/q4_k/block.h"
#include "codec/q4_k/q4_k.h"

namespace sluice::inline SLUICE_ISA {

void decode_q4_k(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t start = 0; start < elements; start += 256, blocks += sizeof(BlockQ4_K)) {
    BlockQ4_K block;
    std::memcpy(&block, blocks, sizeof block);
    const float d = f16_to_f32(block.d);
    const float dmin = f16_to_f32(block.dmin);
    std::uint8_t scales[8];
    std::uint8_t mins[8];
    unpack_six_bit_pairs(block.scales, scales, mins);
    for (int s = 0; s < 8; ++s) {
      const float scale = d * static_cast<float>(scales[s]);
      const float offset = dmin * static_cast<float>(mins[s]);
      for (int l = 0; l < 32; ++l) {
        const int code = block.codes[s / 2 * 32 + l] >> (s % 2 * 4) & 15;
        *out++ = scale * static_cast<float>(code) - offset;
      }
    }
  }
}

bool scales_finite_q4_k(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockQ4_K>(blocks, count, [](const BlockQ4_K& block) {
    return finite_half(block.d) & finite_half(block.dmin);
  });
}

}  // namespace sluice::inline SLUICE_ISA
