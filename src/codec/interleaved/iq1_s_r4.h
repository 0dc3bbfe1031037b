#pragma once

#include "codec/i_quants/iq1_s.h"
#include "codec/interleaved/group_codec.h"
#include "codec/interleaved/iq1_rows.h"

namespace sluice::inline SLUICE_ISA {

/// IQ1_S_R4 (ik_llama.cpp only): 32 weights of four rows in 24 bytes (1.5 bits a weight), and a binary16
/// scale d for each row. A row has 4 groups of 8: an 11-bit index into IQ1_S's codebook each, of which
/// the high bits are in the row's word, with the scale l in bits 12 to 14 and the sign of the shift
/// (set: minus) above. value = d * (2 * l + 1) * (entry +- 0.125).
/// \tparam kTogether  rows: four in files, one while error feedback chooses its codes
template <unsigned kTogether>
struct BlockIq1SRows {
  using RowScale = std::uint16_t;
  static constexpr unsigned kRows = kTogether;
  static constexpr std::size_t kWeights = 32;

  std::uint8_t low[4][kRows];  ///< [group][row] low 8 bits of the index
  std::uint16_t high[kRows];   ///< [row]

  /// A row's scale l, and the sign of its shift (1: minus) above that.
  unsigned scale_and_shift(unsigned row) const noexcept { return high[row] >> 12; }
  void set_scale_and_shift(unsigned row, unsigned code) noexcept {
    high[row] = static_cast<std::uint16_t>((high[row] & 0xfffu) | code << 12);
  }
  unsigned index(unsigned row, unsigned group) const noexcept {
    return low[group][row] | (high[row] >> 3 * group & 7u) << 8;
  }
  void set_index(unsigned row, std::size_t group, unsigned index) noexcept {
    const std::size_t at = 3 * group;
    low[group][row] = static_cast<std::uint8_t>(index);
    high[row] = static_cast<std::uint16_t>((high[row] & ~(7u << at)) | index >> 8 << at);
  }
  void set_row(unsigned row, const BlockIq1SRows<1>& own) noexcept {
    for (std::size_t group = 0; group < 4; ++group) low[group][row] = own.low[group][0];
    high[row] = own.high[0];
  }

  void decode(unsigned row, float d, float* out) const noexcept {
    const unsigned word = high[row];
    const float scale = d * static_cast<float>(2 * (word >> 12 & 7) + 1);
    const float shift = (word & 0x8000u) != 0 ? -kIq1Delta : kIq1Delta;
    for (unsigned group = 0; group < 4; ++group) {
      for (const std::int8_t entry : kIq1sCodebook[index(row, group)]) {
        *out++ = scale * (static_cast<float>(entry) + shift);
      }
    }
  }
};
struct BlockIq1SR4 : BlockIq1SRows<4> {
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;
};
static_assert(sizeof(BlockIq1SR4) == 24 && sizeof(BlockIq1SRows<1>) == 6);

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

  template <unsigned kRows>
  static void put(const iq1::Solution& solution, std::size_t b, unsigned row,
                  BlockIq1SRows<kRows>& block) noexcept {
    const unsigned scale = static_cast<unsigned>(static_cast<int>(solution.multiple[2 * b])) / 2;
    unsigned shift = 0;  // the same in all groups
    for (std::size_t group = 0; group < 4; ++group) {
      const unsigned entry = iq1::entry_of(solution, 4 * b + group);
      block.set_index(row, group, entry & 0x7ffu);
      shift = entry >> 11;
    }
    block.set_scale_and_shift(row, scale | shift << 3);
  }
};

}  // namespace sluice::inline SLUICE_ISA
