#pragma once

#include "codec/i_quants/iq1_m.h"
#include "codec/interleaved/group_codec.h"
#include "codec/interleaved/iq1_rows.h"

namespace sluice::inline SLUICE_ISA {

/// IQ1_M_R4 (ik_llama.cpp only): 32 weights of four rows in 28 bytes (1.75 bits a weight), and a binary16
/// scale d for each row. A row has 4 groups of 8: an 11-bit index into IQ1_S's codebook each, of which
/// the high bits are in a nibble with the sign of the shift (set: minus) above; each two groups have
/// a scale l of four bits. value = d * l * (entry +- 0.125).
/// \tparam kTogether  rows: four in files, one while error feedback chooses its codes
template <unsigned kTogether>
struct BlockIq1MRows {
  using RowScale = std::uint16_t;
  static constexpr unsigned kRows = kTogether;
  static constexpr std::size_t kWeights = 32;

  std::uint8_t low[4][kRows];   ///< [group][row] low 8 bits of the index
  std::uint8_t high[2][kRows];  ///< [group / 2][row] of two groups, low nibble first
  std::uint8_t scales[kRows];  ///< [row] of the first two and the last two groups, low nibble first

  /// Of two groups.
  unsigned scale(unsigned row, std::size_t pair) const noexcept {
    return scales[row] >> 4 * pair & 15u;
  }
  void set_scale(unsigned row, std::size_t pair, unsigned code) noexcept {
    set_nibble(scales[row], pair, code);
  }
  /// An index, and the sign of the shift (1: minus) above it.
  unsigned entry(unsigned row, std::size_t group) const noexcept {
    return low[group][row] | (high[group / 2][row] >> 4 * (group % 2) & 15u) << 8;
  }
  void set_entry(unsigned row, std::size_t group, unsigned entry) noexcept {
    low[group][row] = static_cast<std::uint8_t>(entry);
    set_nibble(high[group / 2][row], group % 2, entry >> 8);
  }
  void set_row(unsigned row, const BlockIq1MRows<1>& own) noexcept {
    for (std::size_t group = 0; group < 4; ++group) low[group][row] = own.low[group][0];
    for (std::size_t pair = 0; pair < 2; ++pair) high[pair][row] = own.high[pair][0];
    scales[row] = own.scales[0];
  }

  void decode(unsigned row, float d, float* out) const noexcept {
    for (std::size_t group = 0; group < 4; ++group) {
      const unsigned code = entry(row, group);
      const float scale = d * static_cast<float>(this->scale(row, group / 2));
      const float shift = (code & 0x800u) != 0 ? -kIq1Delta : kIq1Delta;
      for (const std::int8_t value : kIq1sCodebook[code & 0x7ffu]) {
        *out++ = scale * (static_cast<float>(value) + shift);
      }
    }
  }

 private:
  static void set_nibble(std::uint8_t& byte, std::size_t place, unsigned nibble) noexcept {
    byte = static_cast<std::uint8_t>((byte & 0xf0u >> 4 * place) | nibble << 4 * place);
  }
};
struct BlockIq1MR4 : BlockIq1MRows<4> {
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;
};
static_assert(sizeof(BlockIq1MR4) == 28 && sizeof(BlockIq1MRows<1>) == 7);

/// How IQ1_M_R4 is searched (iq1_rows.h).
struct Iq1MR4 {
  using Block = BlockIq1MR4;
  static constexpr std::size_t kSubBlock = 16;
  static constexpr bool kSharedShift = false;
  static constexpr iq1::Multiples kMultiples = {.first = 0, .step = 1, .count = 16};
  using Best = Iq1M::Best;
  using Fast = Iq1M::Fast;

  template <unsigned kRows>
  static void put(const iq1::Solution& solution, std::size_t b, unsigned row,
                  BlockIq1MRows<kRows>& block) noexcept {
    for (std::size_t group = 0; group < 4; ++group) {
      block.set_entry(row, group, iq1::entry_of(solution, 4 * b + group));
    }
    for (std::size_t pair = 0; pair < 2; ++pair) {
      const float multiple = solution.multiple[2 * b + pair];
      block.set_scale(row, pair, static_cast<unsigned>(static_cast<int>(multiple)));
    }
  }
};

}  // namespace sluice::inline SLUICE_ISA
