#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/pattern.h"
#include "sluice/gguf.h"
#include "sluice/mix_target.h"
#include "sluice/recipe.h"
#include "sluice/tensor_type.h"

namespace sluice::recipe {

/// The types that are chosen from if the user names none: those of the mix's program that have the
/// least errors for their bits, by rising bits of a weight.
std::span<const TensorType> usual_types(Mix mix) noexcept;

/// The types that tensors can be given for a size.
class CandidateTypes {
 public:
  /// \throws Error (usage) if a type is none that the mix's program loads, or a pattern is wrong
  CandidateTypes(const MixTarget& target, Mix mix);

  /// By rising bits of a weight. Rows that are no whole blocks of a type have its substitute. A tensor
  /// that is quantized already can keep its type, and does not get one of as many bits or more.
  /// \param has_importance  types that would be useless without are among them
  /// \throws Error (usage) naming the tensor if none is left
  std::vector<TensorType> of(const gguf::Tensor& tensor, bool has_importance);

  /// Sentences on bounds that no tensor that was asked about matches.
  std::vector<std::string> notes() const;

 private:
  struct Bound {
    const char* option;
    bool least;
    TypeBound bound;
    Pattern pattern;
    bool used = false;
  };

  static std::string text_of(const Bound& bound);
  [[noreturn]] void refuse(const gguf::Tensor& tensor, bool lacks_importance) const;
  /// Whether all bounds that concern the tensor allow the type.
  bool within_bounds(const gguf::Tensor& tensor, TensorType type);

  Mix mix_;
  std::vector<TensorType> types_;
  bool usual_;  ///< the user names none
  std::vector<Bound> bounds_;
};

}  // namespace sluice::recipe
