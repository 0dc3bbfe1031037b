#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "linear/matrix.h"
#include "model/network.h"

namespace sluice::calibrate {

/// Puts together what the model's own stream and the quantized layers' (see SecondStream) have for the same
/// token. A token that only one of them sends to an expert has no other.
class Pairs {
 public:
  /// \param length  of a sequence
  Pairs(std::size_t columns, std::uint64_t length)
      : columns_(columns),
        length_(length),
        model_(length * columns),
        lacking_(length * columns),
        had_(length * columns),
        waits_(length) {}

  static std::uint64_t bytes(std::size_t columns, std::uint64_t length) {
    return 3 * length * columns * sizeof(float);
  }

  /// Takes rows of ascending tokens. Of what is complete it calls of(lacking, had): by how much the
  /// model's own is more, and what the quantized layers have, [pairs, columns] each.
  template <typename Function>
  void add(const linear::ConstMatrix& x, const model::TokenRows& tokens, const Function& of) {
    for (std::size_t r = 0; r < x.rows; ++r) {
      const std::uint64_t sequence = tokens[r] / length_;
      if (sequence / 2 != sequence_ / 2) finish(of);
      sequence_ = sequence;
      take(x.row(r), tokens[r] % length_);
    }
  }

  /// The last.
  template <typename Function>
  void finish(const Function& of) {
    if (count_ > 0) of(first(lacking_), first(had_));
    count_ = 0;
    waits_.assign(length_, false);
  }

 private:
  linear::ConstMatrix first(const std::vector<float>& rows) const {
    return {rows.data(), count_, columns_, columns_};
  }

  void take(const float* x, std::uint64_t position);

  const std::size_t columns_;
  const std::uint64_t length_;
  std::vector<float> model_;  // [length, columns], by the token's place in its sequence
  std::vector<float> lacking_;
  std::vector<float> had_;
  std::vector<bool> waits_;
  std::uint64_t sequence_ = 0;
  std::size_t count_ = 0;
};

}  // namespace sluice::calibrate
