#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sluice/gguf.h"
#include "sluice/recipe.h"

namespace sluice::recipe {

/// What the rules of a mix ask about the model as a whole.
struct ModelFacts {
  std::string architecture;  ///< `general.architecture`: "llama", "deepseek2", …; may be empty
  /// Blocks, multi-token prediction blocks included; nothing if the model does not tell, as
  /// diffusion models do not.
  std::optional<std::uint64_t> layers = {};
  std::uint64_t experts = 0;       ///< experts of a layer; 0 for a dense model
  std::uint64_t query_group = 0;   ///< query heads for each key-value head; 0 without attention
  bool grouped_queries = false;    ///< fewer key-value heads than query heads
  std::uint64_t vocabulary = 0;    ///< tokens; 0 if the model does not tell
  std::uint64_t row_elements = 0;  ///< embedding length; 0 if the model does not tell
  bool tied_output = false;        ///< no `output.weight`: `token_embd.weight` serves as output

  /// For rules that cannot do without.
  /// \throws Error (input_format) if the model does not tell its layers, with a cure
  std::uint64_t layer_count() const;
};

/// Reads the facts from a model's header. What it does not tell counts only when a rule asks.
ModelFacts read_model_facts(const gguf::Header& model);

/// Whether a peer takes the model for one with 70 billion weights.
/// \throws Error (input_format) if that depends on layers that the model does not tell
bool is_70b(Mix mix, const ModelFacts& facts);

/// Whether ik_llama.cpp takes the model for one with 8 billion weights.
/// \throws Error as is_70b
bool is_8b(const ModelFacts& facts);

}  // namespace sluice::recipe
