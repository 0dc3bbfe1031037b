#include "codec/f64/f64.h"

#include <cstring>

#include "codec/packing/finite_scales.h"

namespace sluice::inline SLUICE_ISA {

void decode_f64(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t i = 0; i < elements; ++i) {
    double value;
    std::memcpy(&value, blocks + i * sizeof value, sizeof value);
    out[i] = static_cast<float>(value);
  }
}

bool scales_finite_f64(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<std::uint64_t>(
      blocks, count, [](std::uint64_t bits) { return (bits >> 52 & 0x7ffu) != 0x7ffu; });
}

}  // namespace sluice::inline SLUICE_ISA
