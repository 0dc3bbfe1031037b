#pragma once

// Where the codes of four interleaved rows lie. Of each run of 32 columns, four neighbouring ones of
// a row are in four neighbouring bytes, those of the next row in the next four.

#include <cstddef>
#include <cstdint>

#include "codec/half.h"

namespace sluice::inline SLUICE_ISA {

/// Four-bit codes of column `j` of a run: 64 bytes a run.
static inline unsigned interleaved_nibble(const std::uint8_t* run, unsigned row,
                                          unsigned j) noexcept {
  const unsigned four = j / 4;
  return run[32 * (four % 2) + 16 * (four / 4) + 4 * row + j % 4] >> 4 * (four / 2 % 2) & 15u;
}

/// The fifth bit beside them: 16 bytes a run.
static inline unsigned interleaved_fifth(const std::uint8_t* run, unsigned row,
                                         unsigned j) noexcept {
  const unsigned four = j / 4;
  return run[4 * row + j % 4] >> (four / 2 + 4 * (four % 2)) & 1u;
}

/// Two-bit codes: 32 bytes a run.
static inline unsigned interleaved_pair(const std::uint8_t* run, unsigned row,
                                        unsigned j) noexcept {
  const unsigned four = j / 4;
  return run[16 * (four / 4) + 4 * row + j % 4] >> 2 * (four % 4) & 3u;
}

/// The third bit beside them: 16 bytes a run.
static inline unsigned interleaved_third(const std::uint8_t* run, unsigned row,
                                         unsigned j) noexcept {
  return run[4 * row + j % 4] >> j / 4 & 1u;
}

/// Number of a row's sub-block of 16 weights among those of all four rows.
constexpr unsigned interleaved_sub_block(unsigned row, unsigned b) noexcept {
  return 8 * (b / 2) + 4 * (b % 2) + row;
}

/// One row of a block of four rows, as decode_shifted_levels() takes it. Of the block it asks
/// scale(row, b), shifted(row, b) and code(row, b, j).
template <typename Block>
struct InterleavedRow {
  static constexpr std::size_t kWeights = Block::kWeights;
  static constexpr std::size_t kSubBlocks = Block::kSubBlocks;
  static constexpr auto kLevels = Block::kLevels;
  static constexpr float kShift = Block::kShift;

  const Block& block;
  unsigned row;

  int scale(unsigned b) const noexcept { return block.scale(row, b); }
  bool shifted(unsigned b) const noexcept { return block.shifted(row, b); }
  unsigned code(unsigned b, unsigned j) const noexcept { return block.code(row, b, j); }
};

/// Whether all of four binary16 are numbers.
static inline bool finite_halves(const std::uint16_t (&halves)[4]) noexcept {
  bool all = true;
  for (const std::uint16_t half : halves) all = all & finite_half(half);
  return all;
}

}  // namespace sluice::inline SLUICE_ISA
