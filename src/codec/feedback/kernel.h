#pragma once

// The three functions of a feedback kernel, made from what a type says of itself (frame.h).

#include "base/float16.h"
#include "codec/feedback/blocks.h"
#include "codec/feedback/improve.h"
#include "codec/feedback/reordered.h"
#include "codec/feedback/sub_block.h"
#include "codec/half.h"

namespace sluice::inline SLUICE_ISA::ldlq {

/// As nearly as it can be, but neither zero nor beyond what is finite.
static inline std::uint16_t multiplied(std::uint16_t half, float factor) noexcept {
  const std::uint16_t product = to_half(f16_to_f32(half) * factor);
  return finite_half(half) && (product & 0x7fffu) != 0 ? product : half;
}
static inline float multiplied(float scale, float factor) noexcept {
  const double product = double{scale} * double{factor};
  const auto nearest = static_cast<float>(std::clamp(product, -kMostRowScale, kMostRowScale));
  return nearest != 0 ? nearest : scale;
}

template <typename Type>
void rescale(std::byte* block, float factor) noexcept {
  typename Type::Block changed;
  std::memcpy(&changed, block, sizeof changed);
  for (std::size_t i = 0; i < Type::kFactors; ++i) {
    Type::set_factor(changed, i, multiplied(Type::factor(changed, i), factor));
  }
  std::memcpy(block, &changed, sizeof changed);
}

template <typename Type>
void encode(const FeedbackColumns& columns, std::byte* out, std::size_t block_stride,
            const SixteenRows<float>& errors_out) noexcept {
  constexpr std::size_t kColumns = Type::Block::kWeights;
  constexpr std::size_t kSubBlock = Type::kSubBlock;
  constexpr std::size_t kStep = 8;
  // What is hardly finite any more is drawn in: no code is near it.
  constexpr float kMost = 0x1p126f;
  Floats values[kColumns];
  Floats target[kColumns];
  load_rows(columns.values, values);
  load_rows(columns.shift, target);
  for (std::size_t j = 0; j < kColumns; ++j) {
    target[j] = clamp(values[j] + clamp(target[j], -kMost, kMost), -kMost, kMost);
  }
  Blocks<Type> blocks(out, block_stride);
  blocks.encode_plainly(target, columns.metric);

  const Normalizer to_units(largest_of(values, target));
  const float per_weight = power_to_unit(columns.weight, kColumns);
  float weight[kColumns];
  for (std::size_t j = 0; j < kColumns; ++j) {
    values[j] = to_units(values[j]);
    target[j] = to_units(target[j]);
    weight[j] = columns.weight[j] * per_weight;
  }
  const Scales<Type> scales = blocks.scales(to_units.exponent);
  Floats errors[kColumns];
  for (std::size_t b = 0; b < kColumns / kSubBlock; ++b) {
    const std::size_t first = b * kSubBlock;
    for (std::size_t j = first; j < first + kSubBlock; j += kStep) {
      add_feedback<kStep>(errors, first, columns.unit + j, columns.stride, target + j);
    }
    const Aim aim = {values + first, target + first, columns.unit + first * columns.stride + first,
                     columns.stride, weight + first};
    SubBlock<Type> best;
    std::copy_n(values + first, kSubBlock, best.error);  // should nothing be finite that is tried
    search_reordered(aim, scales.factor, scales.of_sub_block[b], columns.effort, best);
    blocks.set(b, best, 0xffffu);
    std::copy_n(best.error, kSubBlock, errors + first);
  }
  store_errors(columns, blocks, errors_out);
}

template <typename Type>
FeedbackKernel kernel() noexcept {
  FeedbackKernel kernel = {.type = Type::kType,
                           .columns = Type::Block::kWeights,
                           .row_head = 0,
                           .runtime_factor = 1,
                           .choose_row_scale = nullptr,
                           .encode = encode<Type>,
                           .improve = improve<Type>,
                           .rescale = rescale<Type>,
                           .bring_together = nullptr};
  if constexpr (HasRowScale<typename Type::Block>) {
    kernel.row_head = sizeof(typename Type::Block::RowScale);
    kernel.choose_row_scale = Type::Block::choose_row_scale;
  }
  if constexpr (requires { Type::Block::kRuntimeFactor; }) {
    kernel.runtime_factor = Type::Block::kRuntimeFactor;
  }
  if constexpr (requires { Type::Block::bring_together; }) {
    kernel.bring_together = Type::Block::bring_together;
  }
  return kernel;
}

}  // namespace sluice::inline SLUICE_ISA::ldlq
