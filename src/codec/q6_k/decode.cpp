#include <cstring>

#include "base/float16.h"
#include "codec/packing/two_bit_planes.h"
#include "codec/q6_k/block.h"
#include "codec/q6_k/q6_k.h"

namespace sluice::inline SLUICE_ISA {

void decode_q6_k(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t start = 0; start < elements; start += 256, blocks += sizeof(BlockQ6_K)) {
    BlockQ6_K block;
    std::memcpy(&block, blocks, sizeof block);
    const float d = f16_to_f32(block.d);
    for (int i = 0; i < 256; ++i) {
      const int low = block.low[i / 128 * 64 + i % 64] >> (i % 128 / 64 * 4) & 15;
      const int code = (low | two_bits(block.high, i) << 4) - 32;
      *out++ = d * static_cast<float>(block.scales[i / 16]) * static_cast<float>(code);
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
