#include "codec/f32/f32.h"

#include <cstring>

namespace sluice::inline SLUICE_ISA {

void decode_f32(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  std::memcpy(out, blocks, elements * sizeof(float));
}

void encode_f32(const EncodeRows& rows, std::byte* out) noexcept {
  std::memcpy(out, rows.values, rows.rows * rows.row_elements * sizeof(float));
}

}  // namespace sluice::inline SLUICE_ISA
