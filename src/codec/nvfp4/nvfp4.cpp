#include "codec/nvfp4/nvfp4.h"

#include <bit>
#include <cstring>

#include "codec/packing/e2m1.h"
#include "codec/packing/finite_scales.h"

namespace sluice::inline SLUICE_ISA {
namespace {

/// Half of a sub-block's scale, since the table holds twice the values. Bit 7 has no meaning; 0x7f,
/// NaN by the type's definition, is zero to readers.
float half_scale(unsigned scale) noexcept {
  const unsigned exponent = scale >> 3 & 15;
  const unsigned mantissa = scale & 7;
  if (scale == 0x7f) return 0.0f;
  if (exponent == 0) return static_cast<float>(mantissa) * 0x1p-10f;
  return std::bit_cast<float>((exponent + 127 - 8) << 23 | mantissa << 20);
}

}  // namespace

void decode_nvfp4(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t start = 0; start < elements; start += 64, blocks += sizeof(BlockNVFP4)) {
    BlockNVFP4 block;
    std::memcpy(&block, blocks, sizeof block);
    for (int s = 0; s < 4; ++s, out += 16) {
      const float scale = half_scale(block.scales[s]);
      for (int j = 0; j < 8; ++j) {
        const std::uint8_t codes = block.codes[8 * s + j];
        out[j] = static_cast<float>(kTwiceE2M1[codes & 15]) * scale;
        out[j + 8] = static_cast<float>(kTwiceE2M1[codes >> 4]) * scale;
      }
    }
  }
}

bool scales_finite_nvfp4(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockNVFP4>(blocks, count, [](const BlockNVFP4& block) {
    bool finite = true;
    for (const std::uint8_t scale : block.scales) finite = finite & ((scale & 0x7f) != 0x7f);
    return finite;
  });
}

}  // namespace sluice::inline SLUICE_ISA
