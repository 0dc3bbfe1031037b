#pragma once

// Codebooks of the i-quants: the few vectors that an index in a block can name.
// The entries' order is part of the formats.

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/i_quants/packed_grids.h"

namespace sluice::inline SLUICE_ISA {

template <std::size_t kEntries, std::size_t kWidth>
using Codebook = std::array<std::array<std::int8_t, kWidth>, kEntries>;

/// Turns packed level numbers into the levels' values.
template <std::size_t kWidth, std::size_t kEntries, std::size_t kLevels>
constexpr Codebook<kEntries, kWidth> unpack_codebook(
    const std::array<std::uint16_t, kEntries>& packed,
    const std::array<std::int8_t, kLevels>& levels) noexcept {
  constexpr unsigned kBits = 16 / kWidth < 3 ? 2 : 3;
  Codebook<kEntries, kWidth> codebook{};
  for (std::size_t entry = 0; entry < kEntries; ++entry) {
    for (std::size_t j = 0; j < kWidth; ++j) {
      codebook[entry][j] = levels[packed[entry] >> (kBits * j) & ((1u << kBits) - 1)];
    }
  }
  return codebook;
}

inline constexpr std::array<std::int8_t, 3> kIq1sValues = {-1, 0, 1};
inline constexpr std::array<std::int8_t, 3> kIq2Magnitudes = {8, 25, 43};
inline constexpr std::array<std::int8_t, 8> kIq3xxsMagnitudes = {4, 12, 20, 28, 36, 44, 52, 62};
inline constexpr std::array<std::int8_t, 8> kIq3sMagnitudes = {1, 3, 5, 7, 9, 11, 13, 15};

/// IQ1_S and IQ1_M: 2048 of the 6561 ternary vectors of 8.
inline constexpr auto kIq1sCodebook = unpack_codebook<8>(packed_grids::kIq1sGrid, kIq1sValues);
/// IQ2_XXS, IQ2_XS and IQ2_S: magnitudes of 8; the signs are coded beside the index.
inline constexpr auto kIq2xxsCodebook =
    unpack_codebook<8>(packed_grids::kIq2xxsGrid, kIq2Magnitudes);
inline constexpr auto kIq2xsCodebook = unpack_codebook<8>(packed_grids::kIq2xsGrid, kIq2Magnitudes);
inline constexpr auto kIq2sCodebook = unpack_codebook<8>(packed_grids::kIq2sGrid, kIq2Magnitudes);
/// IQ3_XXS and IQ3_S: magnitudes of 4.
inline constexpr auto kIq3xxsCodebook =
    unpack_codebook<4>(packed_grids::kIq3xxsGrid, kIq3xxsMagnitudes);
inline constexpr auto kIq3sCodebook = unpack_codebook<4>(packed_grids::kIq3sGrid, kIq3sMagnitudes);

/// What a shifted IQ1 vector moves by: value = scale * (entry + kIq1Delta) or (entry - kIq1Delta).
inline constexpr float kIq1Delta = 0.125f;

}  // namespace sluice::inline SLUICE_ISA
