#include "base/float16.h"
#include "codec/published/codes.h"

namespace sluice::inline SLUICE_ISA {

/// The upper half of a binary16.
void decode_f8_e5m2(const std::byte* row, std::size_t first, std::size_t count, float factor,
                    float* out) noexcept {
  decode_bytes(row + first, count, factor, out, [](std::uint32_t code) noexcept {
    return f16_to_f32(static_cast<std::uint16_t>(code << 8));
  });
}

}  // namespace sluice::inline SLUICE_ISA
