#pragma once

#include <array>
#include <cstdint>

#include "recipe/mix_rule.h"
#include "recipe/model_facts.h"
#include "sluice/gguf.h"
#include "sluice/recipe.h"

namespace sluice::recipe {

/// Applies a file type's mix to one tensor after the other.
///
/// Holds counts, so tensors must be asked for in the order in which the peer meets them, and only
/// those that the peer asks its mix about.
class MixChooser {
 public:
  /// \param model  with the tensors that will be written
  MixChooser(Mix mix, const FileType& file_type, bool has_imatrix, const gguf::Header& model);

  Rule choose(const gguf::Tensor& tensor);

  const ModelFacts& facts() const { return facts_; }

 private:
  /// How many of a kind were met.
  std::uint64_t& seen(TensorKind kind);

  Mix mix_;
  Ftype file_type_;
  TensorType own_;
  bool has_imatrix_;
  ModelFacts facts_;
  std::uint64_t values_ = 0;  ///< tensors of values in the model
  std::array<std::uint64_t, 5> seen_{};
};

}  // namespace sluice::recipe
