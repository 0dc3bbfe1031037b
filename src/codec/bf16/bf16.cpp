#include "codec/bf16/bf16.h"

#include <cstdint>
#include <cstring>

#include "base/float16.h"
#include "codec/packing/finite_scales.h"

namespace sluice::inline SLUICE_ISA {

void decode_bf16(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t i = 0; i < elements; ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, blocks + i * sizeof bits, sizeof bits);
    out[i] = bf16_to_f32(bits);
  }
}

void encode_bf16(const EncodeRows& rows, std::byte* out) noexcept {
  constexpr float kLargest = 0x1.fep127f;
  const std::size_t elements = rows.rows * rows.row_elements;
  const float* values = rows.values;
  for (std::size_t i = 0; i < elements; ++i) {
    // Spelled out: std::clamp's references keep the loop from vectorizing.
    const float value = values[i];
    const float not_less = value < -kLargest ? -kLargest : value;
    const std::uint16_t bits = f32_to_bf16(not_less > kLargest ? kLargest : not_less);
    std::memcpy(out + i * sizeof bits, &bits, sizeof bits);
  }
}

bool scales_finite_bf16(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<std::uint16_t>(blocks, count,
                                   [](std::uint16_t bits) { return (bits & 0x7f80u) != 0x7f80u; });
}

}  // namespace sluice::inline SLUICE_ISA
