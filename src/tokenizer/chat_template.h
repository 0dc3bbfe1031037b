#pragma once

#include "sluice/gguf.h"
#include "tokenizer/source.h"

namespace sluice::tokenizer {

/// Whether a file of the folder is a further chat template.
bool is_additional_template(std::string_view name);

/// Sets tokenizer.chat_template and, for further ones by name, tokenizer.chat_template.NAME and
/// their names in tokenizer.chat_templates.
/// \throws Error (input_format) if a template is no UTF-8 text.
void set_chat_templates(Source& source, gguf::Header& metadata);

}  // namespace sluice::tokenizer
