#pragma once

// The blocks of 16 rows, and their columns in numbers that a search can work with.

#include "codec/block_codec.h"
#include "codec/feedback/sub_block.h"

namespace sluice::inline SLUICE_ISA::ldlq {

/// 16 blocks in the file's format.
template <typename Type>
class Blocks {
 public:
  using Block = typename Type::Block;
  static constexpr std::size_t kColumns = Block::kWeights;
  static constexpr std::size_t kSubBlocks = kColumns / Type::kSubBlock;

  Blocks(std::byte* blocks, std::size_t stride) noexcept : blocks_(blocks), stride_(stride) {}

  /// As the type's own encoder codes these columns, importance being the same for all rows.
  void encode_plainly(const Floats (&columns)[kColumns], const float* importance) noexcept {
    alignas(64) float rows[kRows * kColumns];
    store_rows(columns, {rows, kColumns});
    Block blocks[kRows];
    for (std::size_t r = 0; r < kRows; ++r) {
      std::memcpy(&blocks[r], blocks_ + r * stride_, sizeof(Block));
    }
    Block::encode({.values = rows,
                   .rows = kRows,
                   .row_elements = kColumns,
                   .importance = importance,
                   .effort = Effort::fast,
                   .bias_correction = 1},
                  reinterpret_cast<std::byte*>(blocks));
    for (std::size_t r = 0; r < kRows; ++r) {
      std::memcpy(blocks_ + r * stride_, &blocks[r], sizeof(Block));
    }
  }

  void decode(Floats (&columns)[kColumns]) const noexcept {
    alignas(64) float rows[kRows * kColumns];
    for (std::size_t r = 0; r < kRows; ++r) {
      decode_blocks<Block>(blocks_ + r * stride_, rows + r * kColumns, kColumns);
    }
    load_rows({rows, kColumns}, columns);
  }

  /// \param exponent  of the power of two that is each row's unit
  Scales<Type> scales(const Ints& exponent) const noexcept {
    float factor[Type::kFactors][kRows];
    std::int32_t code[kSubBlocks][kRows];
    for (std::size_t r = 0; r < kRows; ++r) {
      Block block;
      std::memcpy(&block, blocks_ + r * stride_, sizeof block);
      for (std::size_t i = 0; i < Type::kFactors; ++i) {
        constexpr float kMost = 0x1p60f;
        const float value = value_of_scale(row_scale(Type::factor(block, i)), exponent[r]);
        factor[i][r] = value < kMost ? value : kMost;
      }
      for (std::size_t b = 0; b < kSubBlocks; ++b) {
        code[b][r] = static_cast<std::int32_t>(Type::scale(block, b));
      }
    }
    Scales<Type> scales;
    for (std::size_t i = 0; i < Type::kFactors; ++i) scales.factor[i] = Floats::load(factor[i]);
    for (std::size_t b = 0; b < kSubBlocks; ++b) scales.of_sub_block[b] = Ints::load(code[b]);
    return scales;
  }

  /// Puts the codes of sub-block b into those rows whose bit is set.
  void set(std::size_t b, const SubBlock<Type>& chosen, unsigned rows) noexcept {
    constexpr std::size_t kGroups = SubBlock<Type>::kGroups;
    std::int32_t scale[kRows];
    std::int32_t code[kGroups][kRows];
    chosen.scale.store(scale);
    for (std::size_t g = 0; g < kGroups; ++g) chosen.code[g].store(code[g]);
    for (std::size_t r = 0; r < kRows; ++r) {
      if ((rows >> r & 1) == 0) continue;
      Block block;
      std::memcpy(&block, blocks_ + r * stride_, sizeof block);
      Type::set_scale(block, b, static_cast<unsigned>(scale[r]));
      for (std::size_t g = 0; g < kGroups; ++g) {
        Type::set_code(block, b * kGroups + g, static_cast<unsigned>(code[g][r]));
      }
      std::memcpy(blocks_ + r * stride_, &block, sizeof block);
    }
  }

 private:
  std::byte* blocks_;
  std::size_t stride_;
};

/// The larger magnitudes of each row.
template <std::size_t kColumns>
Floats largest_of(const Floats (&a)[kColumns], const Floats (&b)[kColumns]) noexcept {
  Floats most = 0;
  for (std::size_t j = 0; j < kColumns; ++j) most = max(most, max(abs(a[j]), abs(b[j])));
  return most;
}

/// w - q of what the blocks hold.
template <typename Type>
void store_errors(const FeedbackColumns& columns, const Blocks<Type>& blocks,
                  const SixteenRows<float>& errors) noexcept {
  Floats values[Blocks<Type>::kColumns];
  Floats decoded[Blocks<Type>::kColumns];
  load_rows(columns.values, values);
  blocks.decode(decoded);
  for (std::size_t j = 0; j < Blocks<Type>::kColumns; ++j) decoded[j] = values[j] - decoded[j];
  store_rows(decoded, errors);
}

/// The power of two that brings the largest of some positive numbers into [1, 2), or near it.
static inline float power_to_unit(const float* numbers, std::size_t count) noexcept {
  const float most = std::max(*std::max_element(numbers, numbers + count), 0x1p-120f);
  return 1 / std::bit_cast<float>(std::bit_cast<std::uint32_t>(most) & 0x7f800000u);
}

}  // namespace sluice::inline SLUICE_ISA::ldlq
