#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "model/network.h"
#include "sluice/calibration.h"
#include "sluice/gguf.h"

namespace sluice {

/// The tokens that a model is run on. A text is made into tokens as a whole, with those that the model
/// wants around it, and cut into sequences; each begins with the model's BOS in place of its
/// first token, if the model adds one (as llama-imatrix does). Ids from a file are used as they are.
/// \param model       with its tokenizer's metadata
/// \param model_file  for messages
/// \param vocabulary  ids are less than this
/// \throws Error (input_open, input_read; input_format: what is no id, or a tokenizer that is not known;
///         usage: too few tokens for a sequence)
model::Tokens calibration_tokens(const CalibrationOptions& options, const gguf::Header& model,
                                 const std::string& model_file, std::uint64_t vocabulary,
                                 const std::atomic<bool>* stop);

/// What tells tokens from others.
std::uint64_t hash_of(const model::Tokens& tokens);

}  // namespace sluice
