#include <span>

#include "codec/tile.h"

namespace sluice::inline SLUICE_ISA {

float find_largest_magnitude(std::span<const float> values) noexcept {
  return largest_magnitude(values.data(), values.size());
}

}  // namespace sluice::inline SLUICE_ISA
