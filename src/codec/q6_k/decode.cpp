#include <cstring>

#include "base/float16.h"
#include "codec/packing/finite_scales.h"
#include "codec/packing/two_bit_planes.h"
#include "codec/q6_k/block.h"
#include "codec/q6_k/q6_k.h"

namespace sluice::inline SLUICE_ISA {

void decode_q6_k(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t start = 0; start < elements; start += 256, blocks += sizeof(BlockQ6_K)) {
    BlockQ6_K block;
    std::memcpy(&block, blocks, sizeof block);
    const float d = f16_to_f32(block.d);
    std::uint8_t codes[256];
    unpack_two_bits(block.high, codes);
    for (int quarter = 0; quarter < 4; ++quarter) {
      for (int l = 0; l < 64; ++l) {
        const int low = block.low[quarter / 2 * 64 + l] >> (quarter % 2 * 4) & 15;
        std::uint8_t& code = codes[64 * quarter + l];
        code = static_cast<std::uint8_t>(low | code << 4);
      }
    }
    for (int s = 0; s < 16; ++s) {
      const float scale = d * static_cast<float>(block.scales[s]);
      for (int i = 16 * s; i < 16 * s + 16; ++i) *out++ = scale * static_cast<float>(codes[i] - 32);
    }
  }
}

bool scales_finite_q6_k(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockQ6_K>(blocks, count,
                               [](const BlockQ6_K& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
