#pragma once

// Coordinate descent: each sub-block of a block coded again, given all other errors, under H itself.
//
// Of the errors e of a sub-block the rest of the row asks e H e^T + 2 g e^T, g being the sum over all
// other columns k of e_k H_k. With the sub-block's own factors, H = U D U^T, this is the sum of
// D (e U + v)^2, less what does not depend on e, where v D U^T = g: the sum that a sub-block is coded
// for when errors are fed forward, with v for what errors elsewhere ask for.

#include "codec/feedback/blocks.h"
#include "codec/feedback/local_factor.h"
#include "codec/feedback/order.h"
#include "codec/feedback/sub_block.h"

namespace sluice::inline SLUICE_ISA::ldlq {

/// What errors cost that are already there.
template <std::size_t kSize>
Floats cost_of_errors(const LocalFactor<kSize>& factor, const Floats* errors,
                      const Floats* pull) noexcept {
  Floats cost = 0;
  for (std::size_t j = 0; j < kSize; ++j) {
    Floats sum = pull[j] + errors[j];
    for (std::size_t i = 0; i < j; ++i) sum += errors[i] * factor.unit[i * kSize + j];
    cost += sum * sum * factor.weight[j];
  }
  return cost;
}

/// What all errors but those of the sub-block at `first` ask of it, with H times `unit`.
template <std::size_t kSubBlock, std::size_t kColumns>
void pull_of_others(const FeedbackColumns& columns, const Floats (&shift)[kColumns],
                    const Floats (&errors)[kColumns], std::size_t first, float unit,
                    Floats (&pull)[kSubBlock]) noexcept {
  constexpr std::size_t kStep = 8;
  const std::size_t behind = first + kSubBlock;
  std::copy_n(shift + first, kSubBlock, pull);
  for (std::size_t j = 0; j < kSubBlock; j += kStep) {
    const float* const h = columns.unit + first + j;
    add_feedback<kStep>(errors, first, h, columns.stride, pull + j);
    add_feedback<kStep>(errors + behind, kColumns - behind, h + behind * columns.stride,
                        columns.stride, pull + j);
  }
  for (Floats& p : pull) p *= unit;
}

template <typename Type>
void improve(const FeedbackColumns& columns, std::byte* out, std::size_t block_stride,
             const SixteenRows<float>& errors_out) noexcept {
  constexpr std::size_t kColumns = Type::Block::kWeights;
  constexpr std::size_t kSubBlock = Type::kSubBlock;
  Blocks<Type> blocks(out, block_stride);
  Floats values[kColumns];
  Floats shift[kColumns];
  Floats errors[kColumns];
  load_rows(columns.values, values);
  load_rows(columns.shift, shift);
  blocks.decode(errors);
  const Normalizer to_units(largest_of(values, errors));
  for (std::size_t j = 0; j < kColumns; ++j) {
    values[j] = to_units(values[j]);
    shift[j] = to_units(shift[j]);
    errors[j] = values[j] - to_units(errors[j]);
  }
  const float per_h = power_to_unit(columns.metric, kColumns);
  const Scales<Type> scales = blocks.scales(to_units.exponent);
  for (std::size_t b = 0; b < kColumns / kSubBlock; ++b) {
    const std::size_t first = b * kSubBlock;
    Floats target[kSubBlock];
    pull_of_others(columns, shift, errors, first, per_h, target);
    const LocalFactor<kSubBlock> factor(columns.unit + first * columns.stride + first,
                                        columns.stride, per_h, order_of<Type>());
    Floats own[kSubBlock];
    std::copy_n(values + first, kSubBlock, own);
    reorder<Type>(own);
    reorder<Type>(target);
    factor.solve(target);
    SubBlock<Type> best;
    std::copy_n(errors + first, kSubBlock, best.error);
    reorder<Type>(best.error);
    best.cost = cost_of_errors(factor, best.error, target);
    const Floats before = best.cost;
    for (std::size_t j = 0; j < kSubBlock; ++j) target[j] += own[j];
    const Aim aim = {own, target, factor.unit, kSubBlock, factor.weight};
    search_sub_block(aim, scales.factor, scales.of_sub_block[b], columns.effort, best);
    const simd::FloatMask better = best.cost < before;
    blocks.set(b, best, simd::Machine::to_bits(better.part));
    restore_order<Type>(best.error);
    std::copy_n(best.error, kSubBlock, errors + first);
  }
  store_errors(columns, blocks, errors_out);
}

}  // namespace sluice::inline SLUICE_ISA::ldlq
