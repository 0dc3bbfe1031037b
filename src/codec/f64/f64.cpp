#include "codec/f64/f64.h"

#include <cstring>

namespace sluice::inline SLUICE_ISA {

void decode_f64(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t i = 0; i < elements; ++i) {
    double value;
    std::memcpy(&value, blocks + i * sizeof value, sizeof value);
    out[i] = static_cast<float>(value);
  }
}

}  // namespace sluice::inline SLUICE_ISA
