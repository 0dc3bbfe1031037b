#pragma once

#include "codec/i_quants/iq1_s.h"
#include "codec/interleaved/group_codec.h"
#include "codec/interleaved/iq1_rows.h"

namespace sluice::inline SLUICE_ISA {

/// IQ1_S_R4 (ik_llama.cpp only): 32 weights of four rows in 24 bytes (1.5 bits a weight), and a binary16
/// scale d for each row. A row has 4 groups of 8: an 11-bit index into IQ1_S's codebook each, of which
/// the high bits are in the row's word, with the scale l in bits 12 to 14 and the sign of the shift
/// (set: minus) above. value = d * (2 * l + 1) * (entry +- 0.125).
struct BlockIq1SR4 {
  using RowScale = std::uint16_t;
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 32;

  std::uint8_t low[4][4];  ///< [group][row] low 8 bits of the index
  std::uint16_t high[4];   ///< [row]

  void decode(unsigned row, float d, float* out) const noexcept {
    const unsigned word = high[row];
    const float scale = d * static_cast<float>(2 * (word >> 12 & 7) + 1);
    const float shift = (word & 0x8000u) != 0 ? -kIq1Delta : kIq1Delta;
    for (unsigned group = 0; group < 4; ++group) {
      const unsigned index = low[group][row] | (word >> 3 * group & 7) << 8;
      for (const std::int8_t entry : kIq1sCodebook[index]) {
        *out++ = scale * (static_cast<float>(entry) + shift);
      }
    }
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;
};
static_assert(sizeof(BlockIq1SR4) == 24);

/// How IQ1_S_R4 is searched (iq1_rows.h).
struct Iq1SR4 {
  using Block = BlockIq1SR4;
  static constexpr std::size_t kSubBlock = 32;
  static constexpr bool kSharedShift = true;
  static constexpr iq1::Multiples kMultiples = iq1::kOddMultiples;
  /// A fourth first scale is 0.1 % less error in trained rows, and a fifth of the time.
  struct Best : Iq1S::Fast {
    static constexpr int kRefits = 2;
  };
  using Fast = Iq1S::Fast;

  static void put(const iq1::Solution& solution, std::size_t b, unsigned row,
                  Block& block) noexcept {
    unsigned word = static_cast<unsigned>(static_cast<int>(solution.multiple[2 * b])) / 2 << 12;
    for (std::size_t group = 0; group < 4; ++group) {
      const unsigned entry = iq1::entry_of(solution, 4 * b + group);
      block.low[group][row] = static_cast<std::uint8_t>(entry);
      word |= (entry >> 8 & 7) << 3 * group | entry >> 11 << 15;  // the shift is the same in all
    }
    block.high[row] = static_cast<std::uint16_t>(word);
  }
};

}  // namespace sluice::inline SLUICE_ISA
