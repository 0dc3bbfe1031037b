#pragma once

// A sub-block with its columns in another order. What errors cost depends on no order, but a factor
// does, and is made anew.

#include <algorithm>
#include <cstddef>

#include "codec/feedback/local_factor.h"
#include "codec/feedback/order.h"
#include "codec/feedback/sub_block.h"

namespace sluice::inline SLUICE_ISA::ldlq {

template <typename Type>
class Reordered {
 public:
  static constexpr std::size_t kSize = Type::kSubBlock;

  /// Errors e cost (e + v) H (e + v)^T, H being U D U^T, and v U = target - values.
  explicit Reordered(const Aim& aim) noexcept
      : factor_(Moments(aim).h, kSize, 1, order_of<Type>()) {
    std::copy_n(aim.values, kSize, values_);
    Floats shift[kSize];
    for (std::size_t j = 0; j < kSize; ++j) {
      shift[j] = (aim.target[j] - aim.values[j]) * aim.weight[j];
    }
    for (std::size_t i = 0; i < kSize; ++i) {  // v H
      const float* const u = aim.unit + i * aim.stride;
      Floats sum = shift[i];
      for (std::size_t j = i + 1; j < kSize; ++j)
        sum = fused_multiply_add(shift[j], Floats(u[j]), sum);
      target_[i] = sum;
    }
    reorder<Type>(values_);
    reorder<Type>(target_);
    factor_.solve(target_);
    for (std::size_t i = 0; i < kSize; ++i) target_[i] += values_[i];
  }

  Aim aim() const noexcept { return {values_, target_, factor_.unit, kSize, factor_.weight}; }

 private:
  /// H.
  struct Moments {
    float h[kSize * kSize];

    explicit Moments(const Aim& aim) noexcept {
      for (std::size_t i = 0; i < kSize; ++i) {
        const float* const u = aim.unit + i * aim.stride;
        for (std::size_t k = i; k < kSize; ++k) {
          const float* const other = aim.unit + k * aim.stride;
          float sum = (i == k ? 1 : u[k]) * aim.weight[k];
          for (std::size_t j = k + 1; j < kSize; ++j) sum += u[j] * aim.weight[j] * other[j];
          h[i * kSize + k] = sum;
          h[k * kSize + i] = sum;
        }
      }
    }
  };

  LocalFactor<kSize> factor_;
  Floats values_[kSize];
  Floats target_[kSize];
};

/// search_sub_block() in the type's order; `best` is in the columns'.
template <typename Type>
void search_reordered(const Aim& aim, const Floats* factors, const Ints& plain, Effort effort,
                      SubBlock<Type>& best) noexcept {
  if constexpr (kReordered<Type>) {
    const Reordered<Type> reordered(aim);
    reorder<Type>(best.error);
    search_sub_block(reordered.aim(), factors, plain, effort, best);
    restore_order<Type>(best.error);
  } else {
    search_sub_block(aim, factors, plain, effort, best);
  }
}

}  // namespace sluice::inline SLUICE_ISA::ldlq
