#pragma once

#include "checkpoint/config.h"
#include "checkpoint/folder.h"
#include "sluice/gguf.h"

namespace sluice::checkpoint {

/// Writes what is said about a model as a whole: `general.*` of its name, its licence and what it
/// was made from, from README.md, config.json and the folder's name; the recommended sampling from
/// generation_config.json. What these do not say, or say in no form that can be read, is left out.
/// \param header  with all tensors, whose elements are counted
void general_keys(const Folder& folder, const Config& config, gguf::Header& header);

}  // namespace sluice::checkpoint
