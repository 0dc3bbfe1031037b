#pragma once

#include <array>
#include <cstdint>

#include "codec/half.h"
#include "codec/i_quants/iq1_encoder.h"

namespace sluice::inline SLUICE_ISA {

/// IQ1_S: 256 weights in 50 bytes (1.5625 bits a weight).
/// 8 sub-blocks of 32 weights, 4 groups of 8 each. Group g has an 11-bit index into the ternary
/// codebook: low 8 bits in `low`, high 3 bits at bit 3 * (g % 4) of its sub-block's word in `high`.
/// The word's bits 12 to 14 are the scale l and its top bit the sign of the shift (set: minus).
/// value = d * (2 * l + 1) * (entry +- 0.125).
struct BlockIq1S {
  static constexpr std::size_t kWeights = 256;

  std::uint16_t d;        ///< fp16 scale of the super-block
  std::uint8_t low[32];   ///< [group]
  std::uint16_t high[8];  ///< [sub-block]

  bool finite() const noexcept { return finite_half(d); }

  /// A sub-block's scale, and the sign of its shift (1: minus) above that.
  unsigned scale_and_shift(std::size_t sub_block) const noexcept { return high[sub_block] >> 12; }
  void set_scale_and_shift(std::size_t sub_block, unsigned code) noexcept {
    high[sub_block] = static_cast<std::uint16_t>((high[sub_block] & 0xfffu) | code << 12);
  }
  void set_index(std::size_t group, unsigned index) noexcept {
    const unsigned at = 3 * (group % 4);
    low[group] = static_cast<std::uint8_t>(index);
    high[group / 4] =
        static_cast<std::uint16_t>((high[group / 4] & ~(7u << at)) | index >> 8 << at);
  }
  void decode(float* y) const noexcept {
    const float d_value = f16_to_f32(d);
    for (unsigned group = 0; group < 32; ++group) {
      const unsigned word = high[group / 4];
      const float scale = d_value * static_cast<float>(2 * (word >> 12 & 7) + 1);
      const float shift = word & 0x8000u ? -kIq1Delta : kIq1Delta;
      const unsigned index = low[group] | (word >> 3 * (group % 4) & 7) << 8;
      for (const std::int8_t entry : kIq1sCodebook[index]) {
        *y++ = scale * (static_cast<float>(entry) + shift);
      }
    }
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;
};
static_assert(sizeof(BlockIq1S) == 50);

/// How IQ1_S is searched; see Iq1M.
struct Iq1S {
  using Block = BlockIq1S;
  static constexpr std::size_t kSubBlock = 32;
  static constexpr bool kSharedShift = true;
  static constexpr iq1::Multiples kMultiples = iq1::kOddMultiples;

  struct Best {
    static constexpr std::array<float, 4> kFirstScales = {0.85f, 1.0f, 1.2f, 1.45f};
    static constexpr std::size_t kSets = iq1::kAllSets;
    static constexpr int kRefits = 2;
  };
  struct Fast {
    static constexpr std::array<float, 3> kFirstScales = {0.9f, 1.1f, 1.35f};
    static constexpr std::size_t kSets = iq1::kAllSets;
    static constexpr int kRefits = 1;
  };

  static Block block(const iq1::Solution& solution, std::uint16_t d) noexcept {
    Block out{};
    out.d = d;
    for (std::size_t b = 0; b < 8; ++b) {
      unsigned word = static_cast<unsigned>(static_cast<int>(solution.multiple[2 * b])) / 2 << 12;
      for (std::size_t k = 0; k < 4; ++k) {
        const unsigned entry = iq1::entry_of(solution, 4 * b + k);
        out.low[4 * b + k] = static_cast<std::uint8_t>(entry);
        word |= (entry >> 8 & 7) << 3 * k | entry >> 11 << 15;  // the shift is the same in all four
      }
      out.high[b] = static_cast<std::uint16_t>(word);
    }
    return out;
  }
};

}  // namespace sluice::inline SLUICE_ISA
