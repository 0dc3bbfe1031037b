#pragma once

#include <cstdint>
#include <string>

#include "sluice/gguf.h"
#include "sluice/recipe.h"

namespace sluice::recipe {

/// What the rules of a mix ask about the model as a whole.
struct ModelFacts {
  std::string architecture;        ///< `general.architecture`: "llama", "deepseek2", …
  std::uint64_t layers = 0;        ///< blocks, multi-token prediction blocks included
  std::uint64_t experts = 0;       ///< experts of a layer; 0 for a dense model
  std::uint64_t query_group = 0;   ///< query heads for each key-value head; 0 without attention
  bool grouped_queries = false;    ///< fewer key-value heads than query heads
  std::uint64_t vocabulary = 0;    ///< tokens; 0 if the model does not tell
  std::uint64_t row_elements = 0;  ///< embedding length; 0 if the model does not tell
  bool tied_output = false;        ///< no `output.weight`: `token_embd.weight` serves as output
};

/// Reads the facts from a model's header.
/// \throws Error (input_format) if the architecture or the number of layers is missing
ModelFacts read_model_facts(const gguf::Header& model);

/// Whether a peer takes the model for one with 70 billion weights.
bool is_70b(Mix mix, const ModelFacts& facts) noexcept;

/// Whether ik_llama.cpp takes the model for one with 8 billion weights.
bool is_8b(const ModelFacts& facts) noexcept;

}  // namespace sluice::recipe
