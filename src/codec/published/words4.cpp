#include "codec/published/codes.h"

namespace sluice::inline SLUICE_ISA {

void decode_words4(const std::byte* row, std::size_t first, std::size_t count, float factor,
                   float* out) noexcept {
  decode_nibbles(row, first, count, factor, out,
                 [](const simd::Ints& code) noexcept { return to_floats(code - 8); });
}

}  // namespace sluice::inline SLUICE_ISA
