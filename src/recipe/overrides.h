#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/pattern.h"
#include "recipe/choose_types.h"
#include "recipe/ftype.h"
#include "recipe/mix_rule.h"
#include "recipe/tensor_kind.h"
#include "sluice/gguf.h"
#include "sluice/recipe.h"

namespace sluice::recipe {

/// The types that are asked for by an option of their own: first those of single tensors, then
/// those of kinds.
enum class Request {
  output,
  token_embedding,
  per_layer_token_embedding,
  ffn_gate_inp,
  attn_q,
  attn_k,
  attn_v,
  attn_qkv,
  attn_output,
  ffn_gate,
  ffn_down,
  ffn_up,
};

struct NamedType {
  const char* option;
  const std::optional<TensorType>* type;  ///< none: not asked for
  bool used = false;                      ///< some tensor was concerned
};

/// For each Request, in their order.
std::array<NamedType, 12> named_types(const RecipeOptions& options);

/// The types that the user asked for, by tensor, pattern or kind, and which of these requests
/// concerned no tensor.
class Overrides {
 public:
  /// \throws Error (usage) if a pattern is wrong
  explicit Overrides(const RecipeOptions& options);

  /// A type for this very tensor: output, embeddings, router.
  std::optional<Rule> for_single(const gguf::Tensor& tensor, TensorKind kind);
  /// The output's type, for the token embedding that serves as output.
  std::optional<Rule> for_tied_output(TensorKind kind);
  /// `tensor_types`: the last that matches.
  std::optional<Rule> by_tensor_type(const gguf::Tensor& tensor);
  /// `custom_types`: the first that matches.
  std::optional<Rule> by_custom_type(const gguf::Tensor& tensor);
  /// `kinds`.
  std::optional<Rule> by_kind(TensorKind kind);

  /// Sentences on requests that changed nothing, and on rules that contradict each other.
  /// \param chosen  for each of the model's tensors
  std::vector<std::string> notes(const gguf::Header& model,
                                 std::span<const TypeChoice> chosen) const;

 private:
  struct Compiled {
    const TypeRule* rule;
    Pattern pattern;
    bool used = false;
  };

  std::optional<Rule> take(Request request);
  /// Why a rule that no tensor got its type from has no effect; empty: what it asks for is so.
  /// \param never  why rules of its sort are not looked at; empty: they are
  std::string why_unused(const Compiled& rule, const std::string& never, const gguf::Header& model,
                         std::span<const TypeChoice> chosen) const;
  /// Whether the mix looks at `attn_output` only, of all kinds.
  bool few_bits_of_ik() const;

  const RecipeOptions& options_;
  std::array<NamedType, 12> named_;
  std::vector<Compiled> tensor_types_;
  std::vector<Compiled> custom_types_;
  std::string contradiction_;
};

}  // namespace sluice::recipe
