#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/team.h"
#include "calibrate/pairs.h"
#include "linear/moments.h"
#include "model/network.h"
#include "sluice/codec.h"

namespace sluice::calibrate {

/// What tokens of an input come to: their second moments, or where those are not asked for, their
/// squares.
class InputSums {
 public:
  /// \param paired_length  of sequences that come twice (see Pairs); 0: they do not
  InputSums(std::size_t columns, bool second_moments, std::uint64_t paired_length = 0);

  /// Without pairs.
  void add(const linear::ConstMatrix& x, Isa isa, Team& team);

  /// With pairs, if there are any.
  void add(const linear::ConstMatrix& x, const model::TokenRows& which, Isa isa, Team& team);

  /// No more tokens come.
  void finish(Isa isa, Team& team);

  std::uint64_t tokens() const { return tokens_; }

  /// Mean squares, of which a matrix of these columns is told; empty: no token came.
  std::vector<float> importance() const;

  bool has_moments() const { return moments_.has_value(); }
  /// \pre has_moments()
  linear::Moments& moments() { return *moments_; }

  /// Of pairs with moments what those lack of the model's inputs.
  std::optional<linear::Lacks>& lacks() { return lacks_; }

 private:
  void sum_pairs(const linear::ConstMatrix& lacking, const linear::ConstMatrix& had, Isa isa,
                 Team& team);

  std::optional<linear::Moments> moments_;
  std::optional<linear::Lacks> lacks_;
  std::optional<Pairs> pairs_;
  std::vector<double> squares_;  // empty, if there are moments
  std::uint64_t tokens_ = 0;
};

}  // namespace sluice::calibrate
