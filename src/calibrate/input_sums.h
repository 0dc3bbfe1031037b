#pragma once

#include <optional>
#include <vector>

#include "base/team.h"
#include "linear/moments.h"
#include "sluice/codec.h"

namespace sluice::calibrate {

/// What tokens of an input come to: their second moments, or where those are not asked for, their
/// squares.
class InputSums {
 public:
  InputSums(std::size_t columns, bool second_moments);

  void add(const linear::ConstMatrix& x, Isa isa, Team& team);

  std::uint64_t tokens() const { return tokens_; }

  /// Mean squares, of which a matrix of these columns is told; empty: no token came.
  std::vector<float> importance() const;

  bool has_moments() const { return moments_.has_value(); }
  /// \pre has_moments()
  linear::Moments& moments() { return *moments_; }

 private:
  std::optional<linear::Moments> moments_;
  std::vector<double> squares_;  // empty, if there are moments
  std::uint64_t tokens_ = 0;
};

}  // namespace sluice::calibrate
