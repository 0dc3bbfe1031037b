#pragma once

#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "recipe/choose_types.h"
#include "sluice/gguf.h"

namespace sluice {

/// Replaces metadata by what the user gave.
void set_metadata(const ModelEdits& edits, gguf::Header& header);

/// Refuses importance matrices, which are GGUF files too and lie beside the models. They can be
/// copied.
/// \param file  named in the error
/// \throws Error (input_format)
void refuse_matrix(const gguf::Header& model, const FileType& file_type, const std::string& file);

/// Adds to a model's metadata what the output is, and gives values the types that llama.cpp
/// demands.
/// \param choices  one for each tensor
/// \param file     the input, named in the error
/// \param notes    gets what the user may not expect of it
/// \throws Error (input_format) naming a value that llama.cpp cannot read
void describe_output(const PlanRequest& request, std::span<const TypeChoice> choices,
                     const std::string& file, gguf::Header& header,
                     std::vector<std::string>& notes);

}  // namespace sluice
