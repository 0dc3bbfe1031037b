#include "codec/f16/f16.h"

#include <cstdint>
#include <cstring>

#include "codec/packing/finite_scales.h"
#include "codec/scale_search/stored_scale.h"

namespace sluice::inline SLUICE_ISA {

void decode_f16(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t i = 0; i < elements; ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, blocks + i * sizeof bits, sizeof bits);
    out[i] = f16_to_f32(bits);
  }
}

void encode_f16(const EncodeRows& rows, std::byte* out) noexcept {
  const std::size_t elements = rows.rows * rows.row_elements;
  const float* values = rows.values;
  for (std::size_t i = 0; i < elements; ++i) {
    const std::uint16_t bits = stored_scale(values[i]);
    std::memcpy(out + i * sizeof bits, &bits, sizeof bits);
  }
}

bool scales_finite_f16(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<std::uint16_t>(blocks, count,
                                   [](std::uint16_t bits) { return finite_half(bits); });
}

}  // namespace sluice::inline SLUICE_ISA
