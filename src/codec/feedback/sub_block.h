#pragma once

// A sub-block of 16 rows coded at its best scale, given what errors elsewhere ask for.

#include <algorithm>
#include <cstddef>
#include <new>

#include "codec/feedback/frame.h"

namespace sluice::inline SLUICE_ISA::ldlq {

/// What a sub-block's codes aim at: the least sum over columns of
/// weight * (target - q + (sum over earlier columns i of (w - q)_i unit_i))^2
struct Aim {
  const Floats* values;  ///< w
  const Floats* target;  ///< w and what errors elsewhere ask for
  const float* unit;     ///< strictly upper triangle, rows `stride` apart
  std::size_t stride;
  const float* weight;
};

template <typename Type>
struct SubBlock {
  static constexpr std::size_t kGroups = Type::kSubBlock / Type::kGroup;
  Ints scale = 0;
  Ints code[kGroups]{};
  Floats error[Type::kSubBlock];  ///< w - q
  Floats cost = 0x1p120f;
};

/// The diagonal of U D U^T of a group: what an error costs if those behind it in the group make up
/// for nothing.
template <std::size_t kGroup>
void group_metric(const float* unit, std::size_t stride, const float* weight,
                  float (&metric)[kGroup]) noexcept {
  for (std::size_t i = 0; i < kGroup; ++i) {
    metric[i] = weight[i];
    for (std::size_t j = i + 1; j < kGroup; ++j) {
      const float u = unit[i * stride + j];
      metric[i] += u * u * weight[j];
    }
  }
}

/// Candidates side by side, group after group.
template <typename Type>
class Trial {
 public:
  static constexpr std::size_t kTogether = Type::kTogether;
  static constexpr std::size_t kGroup = Type::kGroup;
  using Options = Option<kGroup>[Type::kAlternatives][kTogether];

  Trial(const Aim& aim, const Floats* factors, const Ints (&code)[kTogether]) noexcept : aim_(aim) {
    for (std::size_t k = 0; k < kTogether; ++k) {
      candidate_[k].scale = code[k];
      candidate_[k].cost = 0;
      scale_[k] = Type::scale_of(factors, code[k]);
    }
  }

  void take_group(std::size_t g, const typename Type::Group& group) noexcept {
    const std::size_t first = g * kGroup;
    const float* unit = aim_.unit + first * aim_.stride + first;
    Floats target[kTogether][kGroup];
    for (std::size_t k = 0; k < kTogether; ++k) {
      std::copy_n(aim_.target + first, kGroup, target[k]);
      add_feedback<kGroup>(candidate_[k].error, first, aim_.unit + first, aim_.stride, target[k]);
      // What is best within the group if codes could be any numbers.
      for (std::size_t i = 0; i + 1 < kGroup; ++i) {
        const Floats error = aim_.values[first + i] - target[k][i];
        for (std::size_t j = i + 1; j < kGroup; ++j) {
          target[k][j] = fused_multiply_add(error, Floats(unit[i * aim_.stride + j]), target[k][j]);
        }
      }
    }
    Options options;
    group.nearest(scale_, target, options);
    for (std::size_t k = 0; k < kTogether; ++k) {
      Floats least = cost_of(options[0][k], target[k], first);
      take(options[0][k], k, g);
      for (std::size_t a = 1; a < Type::kAlternatives; ++a) {
        const Floats cost = cost_of(options[a][k], target[k], first);
        take_where(cost < least, options[a][k], k, g);
        least = min(cost, least);
      }
      candidate_[k].cost += least;
    }
  }

  /// Takes what is cheaper than `best`.
  void keep_best(SubBlock<Type>& best) const noexcept {
    for (const SubBlock<Type>& found : candidate_) {
      const simd::FloatMask better = found.cost < best.cost;
      best.cost = select(better, found.cost, best.cost);
      best.scale = select(better, found.scale, best.scale);
      for (std::size_t g = 0; g < SubBlock<Type>::kGroups; ++g) {
        best.code[g] = select(better, found.code[g], best.code[g]);
      }
      for (std::size_t j = 0; j < Type::kSubBlock; ++j) {
        best.error[j] = select(better, found.error[j], best.error[j]);
      }
    }
  }

 private:
  Floats cost_of(const Option<kGroup>& option, const Floats (&target)[kGroup],
                 std::size_t first) const noexcept {
    Floats miss[kGroup];
    for (std::size_t j = 0; j < kGroup; ++j) miss[j] = target[j] - option.decoded[j];
    Floats cost = 0;
    for (std::size_t j = 0; j < kGroup; ++j) {
      Floats sum = miss[j];
      for (std::size_t i = 0; i < j; ++i) {
        const Floats u = aim_.unit[(first + i) * aim_.stride + first + j];
        sum = fused_multiply_add(miss[i], u, sum);
      }
      cost += sum * sum * aim_.weight[first + j];
    }
    return cost;
  }

  void take(const Option<kGroup>& option, std::size_t k, std::size_t g) noexcept {
    candidate_[k].code[g] = option.code;
    for (std::size_t j = 0; j < kGroup; ++j) {
      const std::size_t column = g * kGroup + j;
      candidate_[k].error[column] = aim_.values[column] - option.decoded[j];
    }
  }

  void take_where(const simd::FloatMask& where, const Option<kGroup>& option, std::size_t k,
                  std::size_t g) noexcept {
    SubBlock<Type>& candidate = candidate_[k];
    candidate.code[g] = select(where, option.code, candidate.code[g]);
    for (std::size_t j = 0; j < kGroup; ++j) {
      const std::size_t column = g * kGroup + j;
      const Floats error = aim_.values[column] - option.decoded[j];
      candidate.error[column] = select(where, error, candidate.error[column]);
    }
  }

  const Aim& aim_;
  typename Type::Scale scale_[kTogether];
  SubBlock<Type> candidate_[kTogether];
};

/// The best codes of a sub-block for all candidates, where they cost less than `best`.
/// \param plain  the code of the scale that candidates are near to
template <typename Type>
void search_sub_block(const Aim& aim, const Floats* factors, const Ints& plain, Effort effort,
                      SubBlock<Type>& best) noexcept {
  constexpr std::size_t kGroups = SubBlock<Type>::kGroups;
  alignas(64) std::byte room[kGroups * sizeof(typename Type::Group)];
  auto* const groups = reinterpret_cast<typename Type::Group*>(room);
  for (std::size_t g = 0; g < kGroups; ++g) {
    const std::size_t first = g * Type::kGroup;
    float metric[Type::kGroup];
    group_metric(aim.unit + first * aim.stride + first, aim.stride, aim.weight + first, metric);
    new (groups + g) typename Type::Group(metric);
  }
  const std::size_t count = Type::candidates(effort);
  for (std::size_t n = 0; n < count; n += Type::kTogether) {
    Ints code[Type::kTogether];
    for (std::size_t k = 0; k < Type::kTogether; ++k) {
      code[k] = Type::candidate(plain, std::min(n + k, count - 1), effort);
    }
    Trial<Type> trial(aim, factors, code);
    for (std::size_t g = 0; g < kGroups; ++g) trial.take_group(g, groups[g]);
    trial.keep_best(best);
  }
}

}  // namespace sluice::inline SLUICE_ISA::ldlq
