#include "codec/f32/f32.h"

#include <cstring>

#include "codec/packing/finite_scales.h"

namespace sluice::inline SLUICE_ISA {

// Copies, of nothing too: then there may be no memory to name, which memcpy alone does not allow.
static void copy(void* to, const void* from, std::size_t bytes) noexcept {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

void decode_f32(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  copy(out, blocks, elements * sizeof(float));
}

void encode_f32(const EncodeRows& rows, std::byte* out) noexcept {
  copy(out, rows.values, rows.rows * rows.row_elements * sizeof(float));
}

bool scales_finite_f32(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<std::uint32_t>(
      blocks, count, [](std::uint32_t bits) { return (bits & 0x7f800000u) != 0x7f800000u; });
}

}  // namespace sluice::inline SLUICE_ISA
