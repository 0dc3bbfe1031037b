#include <cstring>

#include "base/float16.h"
#include "codec/packing/finite_scales.h"
#include "codec/packing/two_bit_planes.h"
#include "codec/q2_k/block.h"
#include "codec/q2_k/q2_k.h"

namespace sluice::inline SLUICE_ISA {

void decode_q2_k(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t start = 0; start < elements; start += 256, blocks += sizeof(BlockQ2_K)) {
    BlockQ2_K block;
    std::memcpy(&block, blocks, sizeof block);
    const float d = f16_to_f32(block.d);
    const float dmin = f16_to_f32(block.dmin);
    std::uint8_t codes[256];
    unpack_two_bits(block.codes, codes);
    for (int s = 0; s < 16; ++s) {
      const float scale = d * static_cast<float>(block.scales[s] & 15);
      const float offset = dmin * static_cast<float>(block.scales[s] >> 4);
      for (int i = 16 * s; i < 16 * s + 16; ++i) {
        *out++ = scale * static_cast<float>(codes[i]) - offset;
      }
    }
  }
}

bool scales_finite_q2_k(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockQ2_K>(blocks, count, [](const BlockQ2_K& block) {
    return finite_half(block.d) & finite_half(block.dmin);
  });
}

}  // namespace sluice::inline SLUICE_ISA
