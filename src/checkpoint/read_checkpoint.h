#pragma once

#include "checkpoint/folder.h"
#include "checkpoint/model.h"

namespace sluice::checkpoint {

/// What of a checkpoint decides how its vocabulary is read.
struct Outline {
  std::string architecture;                 ///< GGUF's name of it
  std::optional<std::uint64_t> vocab_size;  ///< the configuration's, if it has one
};

/// \throws Error as `read_checkpoint` does about config.json
Outline outline_of(const Folder& folder);

/// The GGUF model that a checkpoint stands for. Decides everything that the weights' bytes do not
/// matter for.
/// \param tokenizer  the vocabulary's metadata, which are written after the others
/// \throws Error naming file, tensor or key and a cure. input_open: config.json is missing.
///         input_format: a file breaks its format, a tensor maps to nothing, experts, layers or
///         scales are missing, shapes contradict the configuration. input_type: the model's class or
///         the quantization method is not read.
Model read_checkpoint(const Folder& folder, std::vector<gguf::KeyValue> tokenizer);

}  // namespace sluice::checkpoint
