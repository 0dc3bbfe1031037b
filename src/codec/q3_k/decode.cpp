#include <cstring>

#include "base/float16.h"
#include "codec/packing/finite_scales.h"
#include "codec/packing/two_bit_planes.h"
#include "codec/q3_k/q3_k.h"

namespace sluice::inline SLUICE_ISA {

void decode_q3_k(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t start = 0; start < elements; start += 256, blocks += sizeof(BlockQ3_K)) {
    BlockQ3_K block;
    std::memcpy(&block, blocks, sizeof block);
    const float d = f16_to_f32(block.d);
    std::uint8_t codes[256];
    unpack_two_bits(block.low, codes);
    for (int run = 0; run < 8; ++run) {
      for (int l = 0; l < 32; ++l) {
        const int high = block.high[l] >> run & 1;
        codes[32 * run + l] = static_cast<std::uint8_t>(codes[32 * run + l] | high << 2);
      }
    }
    for (int s = 0; s < 16; ++s) {
      const int low = block.scales[s % 8] >> (s / 8 * 4) & 15;
      const int high = block.scales[8 + s % 4] >> (s / 4 * 2) & 3;
      const float scale = d * static_cast<float>((low | high << 4) - 32);
      for (int i = 16 * s; i < 16 * s + 16; ++i) {
        *out++ = scale * static_cast<float>(codes[i] - 4);
      }
    }
  }
}

bool scales_finite_q3_k(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockQ3_K>(blocks, count,
                               [](const BlockQ3_K& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
