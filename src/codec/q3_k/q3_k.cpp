#include "codec/q3_k/q3_k.h"

#include <cstring>

#include "base/float16.h"
#include "codec/packing/two_bit_planes.h"

namespace sluice::inline SLUICE_ISA {

void decode_q3_k(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t start = 0; start < elements; start += 256, blocks += sizeof(BlockQ3_K)) {
    BlockQ3_K block;
    std::memcpy(&block, blocks, sizeof block);
    const float d = f16_to_f32(block.d);
    for (int s = 0; s < 16; ++s) {
      const int low = block.scales[s % 8] >> (s / 8 * 4) & 15;
      const int high = block.scales[8 + s % 4] >> (s / 4 * 2) & 3;
      const float scale = d * static_cast<float>((low | high << 4) - 32);
      for (int i = 16 * s; i < 16 * s + 16; ++i) {
        const int code = two_bits(block.low, i) | (block.high[i % 32] >> (i / 32) & 1) << 2;
        *out++ = scale * static_cast<float>(code - 4);
      }
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
