#include "codec/published/codes.h"
#include "codec/published/small_float.h"

namespace sluice::inline SLUICE_ISA {

/// E2M1: two bits of exponent, biased by 1, one of mantissa.
void decode_mxfp4_codes(const std::byte* row, std::size_t first, std::size_t count, float factor,
                        float* out) noexcept {
  decode_nibbles(row, first, count, factor, out,
                 [](const simd::Ints& code) noexcept { return small_float<2, 1>(code); });
}

}  // namespace sluice::inline SLUICE_ISA
