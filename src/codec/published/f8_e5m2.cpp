#include "codec/published/codes.h"
#include "codec/published/small_float.h"

namespace sluice::inline SLUICE_ISA {

/// Five bits of exponent, biased by 15, two of mantissa: the upper half of a binary16. Exponents
/// with all bits set are infinities and NaN.
void decode_f8_e5m2(const std::byte* row, std::size_t first, std::size_t count, float factor,
                    float* out) noexcept {
  decode_bytes(row + first, count, factor, out, [](const simd::Ints& code) noexcept {
    const simd::Floats number = small_float<5, 2>(code);
    const simd::Ints all_set = simd::bits_of<simd::Ints>(number) | 0x7f800000;
    return select(simd::Ints(0x7c) > (code & 0x7f), number, simd::bits_of<simd::Floats>(all_set));
  });
}

}  // namespace sluice::inline SLUICE_ISA
