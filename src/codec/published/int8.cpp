#include "codec/published/codes.h"

namespace sluice::inline SLUICE_ISA {

void decode_int8(const std::byte* row, std::size_t first, std::size_t count, float factor,
                 float* out) noexcept {
  decode_bytes(row + first, count, factor, out,
               [](const simd::Ints& code) noexcept { return to_floats((code ^ 128) - 128); });
}

}  // namespace sluice::inline SLUICE_ISA
