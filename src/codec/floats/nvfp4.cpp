#include <bit>
#include <cstdint>

#include "codec/block_codec.h"
#include "codec/floats/e2m1.h"

namespace sluice::inline SLUICE_ISA {

/// NVFP4: 64 weights in 36 bytes, 4.5 bits a weight: four sub-blocks of 16, each with a scale that
/// is an unsigned eight-bit float (four bits of exponent, biased by 7, three of mantissa), times a
/// four-bit float (E2M1). A tensor's further scale, where there is one, is a tensor of its own,
/// which readers multiply results by: values here are without it.
struct BlockNVFP4 {
  static constexpr std::size_t kWeights = 64;

  std::uint8_t scales[4];
  /// Byte 8 * s + j: of sub-block s, code j in the low half and code j + 8 in the high half.
  std::uint8_t codes[32];

  bool finite() const noexcept {
    bool all = true;
    for (const std::uint8_t scale : scales) all = all & ((scale & 0x7f) != 0x7f);
    return all;
  }
  void decode(float* out) const noexcept {
    for (int s = 0; s < 4; ++s, out += 16) {
      const float scale = half_scale(scales[s]);
      for (int j = 0; j < 8; ++j) {
        const std::uint8_t pair = codes[8 * s + j];
        out[j] = static_cast<float>(kTwiceE2M1[pair & 15]) * scale;
        out[j + 8] = static_cast<float>(kTwiceE2M1[pair >> 4]) * scale;
      }
    }
  }

 private:
  /// Half of a sub-block's scale, since the table holds twice the values. Bit 7 has no meaning;
  /// 0x7f, NaN by the type's definition, is zero to readers.
  static float half_scale(unsigned scale) noexcept {
    const unsigned exponent = scale >> 3 & 15;
    const unsigned mantissa = scale & 7;
    if (scale == 0x7f) return 0.0f;
    if (exponent == 0) return static_cast<float>(mantissa) * 0x1p-10f;
    return std::bit_cast<float>((exponent + 127 - 8) << 23 | mantissa << 20);
  }
};
static_assert(sizeof(BlockNVFP4) == 36);

Codec codec_nvfp4() noexcept {
  return block_codec<BlockNVFP4>(TensorType::nvfp4);
}

}  // namespace sluice::inline SLUICE_ISA
