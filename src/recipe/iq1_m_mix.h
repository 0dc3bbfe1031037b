#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "recipe/model_facts.h"
#include "sluice/gguf.h"
#include "sluice/recipe.h"

namespace sluice::recipe {

/// The type that a rule asks for, before the tensor's row length is looked at.
struct Rule {
  TensorType type;
  std::string_view reason;
};

/// The IQ1_M mixes of the peers: IQ1_M for most matrices, more bits where an error does the most
/// harm (output, embedding, values, the attention's output, the first layers' `ffn_down`).
///
/// Holds a count, so tensors must be asked for in the order in which the peer meets them, and only
/// those that the peer quantizes.
class Iq1mMix {
 public:
  Iq1mMix(Mix mix, ModelFacts facts) : mix_(mix), facts_(std::move(facts)) {}

  Rule choose(const gguf::Tensor& tensor);

 private:
  Rule choose_llama_cpp(const gguf::Tensor& tensor);
  Rule choose_ik_llama_cpp(const gguf::Tensor& tensor);
  Rule choose_output(const gguf::Tensor& tensor, Rule rule) const;
  Rule choose_ffn_down();

  Mix mix_;
  ModelFacts facts_;
  std::uint64_t ffn_down_seen_ = 0;
};

}  // namespace sluice::recipe
