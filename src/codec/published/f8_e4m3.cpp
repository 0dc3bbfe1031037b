#include "codec/published/codes.h"
#include "codec/published/small_float.h"

namespace sluice::inline SLUICE_ISA {

/// Four bits of exponent, biased by 7, three of mantissa. All bits set is NaN.
void decode_f8_e4m3(const std::byte* row, std::size_t first, std::size_t count, float factor,
                    float* out) noexcept {
  decode_bytes(row + first, count, factor, out, [](std::uint32_t code) noexcept {
    const std::uint32_t nan = (code & 0x7fu) == 0x7fu ? 0x7fc00000u : 0;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(small_float<4, 3>(code)) | nan);
  });
}

}  // namespace sluice::inline SLUICE_ISA
