#pragma once

#include <cstdint>
#include <string>

#include "sluice/gguf.h"

namespace sluice::recipe {

/// What the rules of a mix ask about the model as a whole.
struct ModelFacts {
  std::string architecture;       ///< `general.architecture`: "llama", "deepseek2", …
  std::uint64_t layers = 0;       ///< blocks, multi-token prediction blocks included
  std::uint64_t experts = 0;      ///< experts of a layer; 0 for a dense model
  std::uint64_t query_group = 0;  ///< query heads for each key-value head; 0 without attention
  bool tied_output = false;       ///< no `output.weight`: `token_embd.weight` serves as output
};

/// Reads the facts from a model's header.
/// \throws Error (input_format) if the architecture or the number of layers is missing
ModelFacts read_model_facts(const gguf::Header& model);

}  // namespace sluice::recipe
