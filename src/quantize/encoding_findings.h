#pragma once

#include <cstddef>
#include <mutex>
#include <span>
#include <vector>

#include "codec/measures.h"
#include "quantize/lost_range.h"

namespace sluice {

/// A tensor's errors so far.
struct EncodingErrors {
  ErrorSums plain{};
  ErrorSums weighted{};  ///< with the importances, or the second moments, where they are known
};

/// \param values      rows
/// \param decoded     what they became, as many
/// \param importance  of a row's columns; empty: none is known
void add_errors(std::span<const float> values, std::span<const float> decoded,
                std::span<const float> importance, EncodingErrors& errors);

/// What a tensor's weights were found to be, so far.
struct WeightFindings {
  bool any_nonzero = false;
  LostRange lost_range{};

  void add(const WeightFindings& other) {
    any_nonzero |= other.any_nonzero;
    lost_range.add(other.lost_range);
  }
};

/// What is found out about a plan's tensors while they are encoded, in pieces. Any thread may call.
class EncodingFindings {
 public:
  explicit EncodingFindings(std::size_t tensors) : errors_(tensors), weights_(tensors) {}

  void add(std::size_t tensor, const EncodingErrors& errors, const WeightFindings& weights) {
    const std::lock_guard lock(mutex_);
    errors_[tensor].plain += errors.plain;
    errors_[tensor].weighted += errors.weighted;
    weights_[tensor].add(weights);
  }
  EncodingErrors errors(std::size_t tensor) const {
    const std::lock_guard lock(mutex_);
    return errors_[tensor];
  }
  WeightFindings weights(std::size_t tensor) const {
    const std::lock_guard lock(mutex_);
    return weights_[tensor];
  }

 private:
  mutable std::mutex mutex_;
  std::vector<EncodingErrors> errors_;
  std::vector<WeightFindings> weights_;
};

}  // namespace sluice
