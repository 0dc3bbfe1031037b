#include "codec/published/codes.h"
#include "codec/published/small_float.h"

namespace sluice::inline SLUICE_ISA {

/// E2M1, as in MXFP4; a byte holds codes of two rows.
void decode_nvfp4_even_codes(const std::byte* rows, std::size_t first, std::size_t count,
                             float factor, float* out) noexcept {
  decode_bytes(rows + first, count, factor, out,
               [](const simd::Ints& code) noexcept { return small_float<2, 1>(code & 15); });
}

void decode_nvfp4_odd_codes(const std::byte* rows, std::size_t first, std::size_t count,
                            float factor, float* out) noexcept {
  decode_bytes(rows + first, count, factor, out, [](const simd::Ints& code) noexcept {
    return small_float<2, 1>(simd::shift_right<4>(code));
  });
}

}  // namespace sluice::inline SLUICE_ISA
