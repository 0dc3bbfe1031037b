#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "linear/matrix.h"
#include "model/network.h"

namespace sluice::measure {

/// Neighbouring tokens, or rows.
struct Span {
  std::size_t first = 0;
  std::size_t count = 0;
};

/// The rows among `rows` whose tokens are in a span: they are neighbours, as tokens ascend.
Span rows_within(const model::TokenRows& tokens, std::size_t rows, const Span& span);

/// Some rows of a matrix.
linear::Matrix some_rows(const linear::Matrix& matrix, const Span& span);
linear::ConstMatrix some_rows(const linear::ConstMatrix& matrix, const Span& span);

/// The tokens of a text, behind them some of its sequences once more for each variant of the model, and
/// at the end its other sequences.
class VariantTokens {
 public:
  VariantTokens(const model::Tokens& text, std::size_t variants);

  const model::Tokens& all() const { return all_; }

  /// The text's own.
  Span text() const { return {0, text_}; }
  /// Tokens of a variant: so many, evenly spread sequences of the text.
  Span variant(std::size_t index) const { return {text_ + index * sample(), sample()}; }
  std::size_t sample() const { return sequences_.size() * all_.sequence_length; }
  /// The text's own that variants repeat, in their order.
  const std::vector<Span>& sequences() const { return sequences_; }
  /// What lies between them.
  std::vector<Span> others() const;
  /// These once more: with a variant that is given them too, all of the text is varied.
  Span rest() const { return {all_.ids.size() - (text_ - sample()), text_ - sample()}; }

  /// The text's token that a variant's is.
  std::size_t origin(std::size_t token_of_variant) const;

  /// Sets the variant's stream to the text's.
  void reset(const linear::Matrix& stream, std::size_t variant) const;

  /// Mean over its tokens of |x' - x|^2 / |x|^2, x' being the variant's stream: all that read it look at
  /// it through a norm, and a few tokens of massive activations would outweigh all others.
  double change(const linear::ConstMatrix& stream, std::size_t variant) const;

 private:
  std::size_t text_;
  std::vector<Span> sequences_;
  model::Tokens all_;
};

}  // namespace sluice::measure
