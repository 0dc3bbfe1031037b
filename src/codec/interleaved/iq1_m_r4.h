#pragma once

#include "codec/i_quants/iq1_m.h"
#include "codec/interleaved/group_codec.h"
#include "codec/interleaved/iq1_rows.h"

namespace sluice::inline SLUICE_ISA {

/// IQ1_M_R4 (ik_llama.cpp only): 32 weights of four rows in 28 bytes (1.75 bits a weight), and a binary16
/// scale d for each row. A row has 4 groups of 8: an 11-bit index into IQ1_S's codebook each, of which
/// the high bits are in a nibble with the sign of the shift (set: minus) above; each two groups have
/// a scale l of four bits. value = d * l * (entry +- 0.125).
struct BlockIq1MR4 {
  using RowScale = std::uint16_t;
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 32;

  std::uint8_t low[4][4];   ///< [group][row] low 8 bits of the index
  std::uint8_t high[2][4];  ///< [group / 2][row] of two groups, low nibble first
  std::uint8_t scales[4];   ///< [row] of the first two and the last two groups, low nibble first

  void decode(unsigned row, float d, float* out) const noexcept {
    for (unsigned group = 0; group < 4; ++group) {
      const unsigned nibble = high[group / 2][row] >> 4 * (group % 2) & 15u;
      const float scale = d * static_cast<float>(scales[row] >> 4 * (group / 2) & 15);
      const float shift = (nibble & 8u) != 0 ? -kIq1Delta : kIq1Delta;
      for (const std::int8_t entry : kIq1sCodebook[low[group][row] | (nibble & 7u) << 8]) {
        *out++ = scale * (static_cast<float>(entry) + shift);
      }
    }
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;
};
static_assert(sizeof(BlockIq1MR4) == 28);

/// How IQ1_M_R4 is searched (iq1_rows.h).
struct Iq1MR4 {
  using Block = BlockIq1MR4;
  static constexpr std::size_t kSubBlock = 16;
  static constexpr bool kSharedShift = false;
  static constexpr iq1::Multiples kMultiples = {.first = 0, .step = 1, .count = 16};
  using Best = Iq1M::Best;
  using Fast = Iq1M::Fast;

  static void put(const iq1::Solution& solution, std::size_t b, unsigned row,
                  Block& block) noexcept {
    unsigned scales = 0;
    for (std::size_t half = 0; half < 2; ++half) {
      const unsigned even = iq1::entry_of(solution, 4 * b + 2 * half);
      const unsigned odd = iq1::entry_of(solution, 4 * b + 2 * half + 1);
      block.low[2 * half][row] = static_cast<std::uint8_t>(even);
      block.low[2 * half + 1][row] = static_cast<std::uint8_t>(odd);
      block.high[half][row] = static_cast<std::uint8_t>(even >> 8 | odd >> 8 << 4);
      scales |= static_cast<unsigned>(static_cast<int>(solution.multiple[2 * b + half]))
                << 4 * half;
    }
    block.scales[row] = static_cast<std::uint8_t>(scales);
  }
};

}  // namespace sluice::inline SLUICE_ISA
