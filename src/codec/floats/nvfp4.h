#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "codec/floats/e2m1.h"
#include "codec/packing.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// NVFP4: 64 weights in 36 bytes, 4.5 bits a weight: four sub-blocks of 16, each with a scale that
/// is an unsigned eight-bit float (four bits of exponent, biased by 7, three of mantissa), times a
/// four-bit float (E2M1). A tensor's further scale, where there is one, is a tensor of its own,
/// which readers multiply results by: values here are without it.
struct BlockNVFP4 {
  static constexpr std::size_t kWeights = 64;
  static constexpr std::size_t kSubBlock = 16;

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
  void set_code(std::size_t i, unsigned code) noexcept { set_nibble<8>(codes, i, code); }

  static void encode(const EncodeRows& rows, std::byte* out) noexcept;

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

namespace nvfp4 {

/// The largest scale, 448.
inline constexpr int kMostScale = 0x7e;

/// The scales that codes of [0, kMostScale] stand for.
template <std::size_t N>
SLUICE_INLINE simd::Lanes<float, N> scale_of(const simd::Lanes<std::int32_t, N>& code) noexcept {
  using Values = simd::Lanes<float, N>;
  const auto normal = simd::bits_of<Values>(simd::shift_left<20>(code) + (120 << 23));
  return select(code < 8, to_floats(code) * 0x1p-9f, normal);
}

/// The codes of numbers that round_to_e2m1() gave, with the signs of `values`; zeros have none.
template <std::size_t N>
SLUICE_INLINE simd::Lanes<std::int32_t, N> codes_of(const simd::Lanes<float, N>& rounded,
                                                    const simd::Lanes<float, N>& values) noexcept {
  using Integers = simd::Lanes<std::int32_t, N>;
  // From one on, exponent and mantissa count the numbers; 0 and 1/2 are below.
  const Integers counted = simd::shift_right<22>(simd::bits_of<Integers>(rounded)) - 252;
  const Integers code = max(counted, to_ints(min(rounded + rounded, 1)));
  return add_where((values < 0) & (rounded > 0), code, 8);
}

}  // namespace nvfp4

}  // namespace sluice::inline SLUICE_ISA
