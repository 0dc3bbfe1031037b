#pragma once

// The codebooks of ik_llama.cpp's trellis types (IQ1_KT to IQ4_KT), which take over QTIP's computed
// codes (Tseng, Sun, Hou and De Sa, 2024), but have no state that runs from group to group: each
// group of weights has an index, from which a generator makes its integers, about normal.

#include <cstddef>
#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// What is added to an index to begin with.
inline constexpr std::uint32_t kTrellisOffset = 4096;

/// The next state of the generator.
constexpr std::uint32_t trellis_next(std::uint32_t state) noexcept {
  return state * 0xcbac1fedu;
}

/// The integer of a state, from -126 to 126: the sum of its bytes' low six bits, less their mean.
constexpr int trellis_value(std::uint32_t state) noexcept {
  const std::uint32_t bytes = state & 0x3f3f3f3fu;
  return static_cast<int>(bytes * 0x01010101u >> 24) - 126;
}

/// Writes the vector of an index, times a scale.
template <std::size_t kWeights>
void decode_trellis(std::uint32_t index, float scale, float* out) noexcept {
  std::uint32_t state = index;
  for (std::size_t j = 0; j < kWeights; ++j) {
    state = trellis_next(state);
    out[j] = scale * static_cast<float>(trellis_value(state));
  }
}

}  // namespace sluice::inline SLUICE_ISA
