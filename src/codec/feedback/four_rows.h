#pragma once

// Types that store four rows between one another, with a scale for each (codec/interleaved/iq1_rows.h).
// Errors go along a row, and rows know nothing of each other: while codes are chosen, a row is its scale
// and blocks of it alone. At last four rows are brought together.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/feedback/blocks.h"
#include "codec/interleaved/iq1_rows.h"

namespace sluice::inline SLUICE_ISA::ldlq {

/// As bytes: blocks have odd sizes.
class HalfHead {
 public:
  std::uint16_t d() const noexcept {
    return static_cast<std::uint16_t>(bytes_[0] | bytes_[1] << 8);
  }
  void set_d(std::uint16_t half) noexcept {
    bytes_[0] = static_cast<std::uint8_t>(half);
    bytes_[1] = static_cast<std::uint8_t>(half >> 8);
  }

 private:
  std::uint8_t bytes_[2];
};

/// A row of one block, whose bytes are OneRow's; Type is as encode_interleaved() has it.
template <typename Type, typename OneRow>
struct RowOfFour : HalfHead, OneRow {
  static constexpr std::size_t kColumns = OneRow::kWeights;
  static_assert(sizeof(HalfHead) == sizeof(typename OneRow::RowScale));

  void decode(float* out) const noexcept { OneRow::decode(0, row_scale(d()), out); }

  /// At the scales that are there. Blocks of several rows, in units of these, are searched as a tile of
  /// one row is.
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    using Settings = typename Type::Fast;
    constexpr std::size_t kTogether = iq1::kElements / kColumns;
    constexpr double kUnit = 0x1p-3;  // what a row's scale is in the tile, where 1 to 2 is large
    constexpr double kMost = 4;
    const float per_importance = power_to_unit(rows.importance, kColumns);
    for (std::size_t first = 0; first < rows.rows; first += kTogether) {
      RowOfFour blocks[kTogether];
      std::memcpy(blocks, out + first * sizeof(RowOfFour), sizeof blocks);
      alignas(64) float x[iq1::kElements];
      alignas(64) float q[iq1::kElements];
      for (std::size_t i = 0; i < iq1::kElements; ++i) {
        const double d = double{row_scale(blocks[i / kColumns].d())};
        const double in_units = d > 0 ? double{rows.values[first * kColumns + i]} / d * kUnit : 0;
        x[i] = static_cast<float>(std::clamp(in_units, -kMost, kMost));
        q[i] = rows.importance[i % kColumns] * per_importance;
      }
      const iq1::Solution solution = iq1::encode_at<Type, Settings>(x, q, float{kUnit});
      for (std::size_t r = 0; r < kTogether; ++r) Type::put(solution, r, 0, blocks[r]);
      std::memcpy(out + first * sizeof(RowOfFour), blocks, sizeof blocks);
    }
  }

  /// FeedbackKernel::choose_row_scale: the plain encoder's, of which a row's multiples are many enough
  /// for what feeds in (bench/notes/error_feedback.md).
  static void choose_row_scale(const EncodeRows& rows, std::byte* head) noexcept {
    const iq1::Row row(rows.values, rows.importance, rows.row_elements);
    iq1::RowSearch<Type, typename Type::Best> search(rows.bias_correction);
    const float scale = search.best_scale(row);
    const std::uint16_t stored =
        scale == 0 ? std::uint16_t{0} : round_scale(scale, row.range.values.exponent[0]);
    std::memcpy(head, &stored, sizeof stored);
  }

  /// FeedbackKernel::bring_together
  static void bring_together(const std::byte* rows, std::size_t row_bytes,
                             std::byte* out) noexcept {
    using Together = typename Type::Block;
    constexpr std::size_t kHead = sizeof(HalfHead);
    for (std::size_t r = 0; r < Together::kRows; ++r, out += kHead) {
      std::memcpy(out, rows + r * row_bytes, kHead);
    }
    for (std::size_t at = kHead; at < row_bytes; at += sizeof(OneRow), out += sizeof(Together)) {
      Together block;
      for (unsigned r = 0; r < Together::kRows; ++r) {
        OneRow own;
        std::memcpy(&own, rows + r * row_bytes + at, sizeof own);
        block.set_row(r, own);
      }
      std::memcpy(out, &block, sizeof block);
    }
  }
};

/// What a type of these says of itself, but for its codes (frame.h).
template <typename Type, typename OneRow>
struct FourRows {
  using Block = RowOfFour<Type, OneRow>;
  static constexpr std::size_t kSubBlock = Type::kSubBlock;
  static constexpr std::size_t kFactors = 1;

  static std::uint16_t factor(const Block& block, std::size_t) noexcept { return block.d(); }
  static void set_factor(Block& block, std::size_t, std::uint16_t half) noexcept {
    block.set_d(half);
  }
};

}  // namespace sluice::inline SLUICE_ISA::ldlq
