#pragma once

// The codebooks of ik_llama.cpp's trellis types (IQ1_KT to IQ4_KT), which take over QTIP's computed
// codes (Tseng, Sun, Hou and De Sa, 2024), but have no state that runs from group to group: each
// group of weights has an index, from which a generator makes its integers, about normal.

#include <cstddef>
#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// What is added to an index to begin with.
inline constexpr std::uint32_t kTrellisOffset = 4096;

/// One of the codebooks.
struct TrellisCodebook {
  unsigned bits;            ///< of an index
  std::size_t group;        ///< weights of a vector
  std::uint32_t offset;     ///< what is added to an index to begin with
  std::size_t branches;     ///< clusters of 16 cells: 256 vectors to a branch, and some room
  bool magnitudes = false;  ///< integers without their signs

  constexpr std::size_t size() const noexcept { return std::size_t{1} << bits; }
};

inline constexpr TrellisCodebook kIq1KtBook = {13, 8, kTrellisOffset, 34};
inline constexpr TrellisCodebook kIq2KtBook = {16, 8, kTrellisOffset, 272};
inline constexpr TrellisCodebook kIq3KtBook = {16, 8, kTrellisOffset, 256, true};
inline constexpr TrellisCodebook kIq4KtBook = {16, 4, kTrellisOffset, 256};  ///< two of 2^15

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
