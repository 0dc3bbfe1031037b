#include <limits>

#include "codec/published/codes.h"
#include "codec/published/small_float.h"

namespace sluice::inline SLUICE_ISA {

/// Four bits of exponent, biased by 7, three of mantissa. All bits set is NaN.
void decode_f8_e4m3(const std::byte* row, std::size_t first, std::size_t count, float factor,
                    float* out) noexcept {
  decode_bytes(row + first, count, factor, out, [](const simd::Ints& code) noexcept {
    return select(simd::Ints(0x7f) > (code & 0x7f), small_float<4, 3>(code),
                  std::numeric_limits<float>::quiet_NaN());
  });
}

}  // namespace sluice::inline SLUICE_ISA
