#include <cstring>

#include "base/float16.h"
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
    for (int i = 0; i < 256; ++i) {
      const float scale = d * static_cast<float>(block.scales[i / 16] & 15);
      const float offset = dmin * static_cast<float>(block.scales[i / 16] >> 4);
      *out++ = scale * static_cast<float>(two_bits(block.codes, i)) - offset;
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
