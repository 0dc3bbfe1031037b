#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/team.h"
#include "calibrate/input_sums.h"
#include "linear/moments.h"
#include "measure/encoded_matrix.h"
#include "measure/input_errors.h"
#include "measure/text_subjects.h"
#include "measure/variant_tokens.h"
#include "model/network.h"

namespace sluice::measure {

/// What is gathered of an input of matrices, until its last token has been seen.
class InputSample {
 public:
  InputSample(std::uint64_t columns, bool with_moments);

  /// Adds what the text's own tokens are.
  void add(const linear::ConstMatrix& x, const model::TokenRows& rows, const VariantTokens& tokens,
           Isa isa, Team& team);

  std::vector<float> importance() const { return sums_.importance(); }
  linear::ConstMatrix sampled() const;
  /// All of the text's tokens have been seen: makes the factor of their moments, if there are any. Those are of
  /// tokens that are not in the sample, unless it is all: what is made up for with them shows in
  /// others as it will.
  /// \param shrink  as moments of an expert's few tokens are
  void complete(bool shrink, Isa isa, Team& team);
  /// Null: there is none.
  const linear::Factor* factor() const { return factor_ ? &*factor_ : nullptr; }

 private:
  std::size_t columns_;
  calibrate::InputSums sums_;
  std::optional<linear::Moments> moments_;
  std::optional<linear::Factor> factor_;
  std::vector<float> sample_;  // [tokens, columns]
};

/// Whether second moments of what a matrix is multiplied by are of use.
bool wants_moments(const TextRequest& request, const TextSubject& subject);

/// Encodes matrices, and reckons errors.
class MatrixVariants {
 public:
  /// All outlive this.
  MatrixVariants(const TextRequest& request, Team& team) : request_(request), team_(team) {}

  /// How a matrix is encoded. \param importance  room for it
  Encoding encoding_of(const TextSubject& subject, std::uint64_t number, const InputSample& sample,
                       std::vector<float>& importance) const;

  /// A matrix in the type that the model is run with.
  std::unique_ptr<const linear::Rows> encoded(const TextSubject& subject, std::uint64_t number,
                                              const linear::Rows& weights,
                                              const InputSample& sample) const;

  /// Adds a matrix's errors to its tensor's: those of a token of the sample.
  /// \param tokens  of the sample
  void add_errors(const TextSubject& subject, std::uint64_t number, const linear::Rows& weights,
                  const InputSample& sample, std::size_t tokens, RowSums& errors) const;

 private:
  const TextRequest& request_;
  Team& team_;
};

}  // namespace sluice::measure
