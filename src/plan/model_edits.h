#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sluice/model_edits.h"

/// Edits as users write them.
namespace sluice {

/// `KEY=TYPE:VALUE` with TYPE int, float, bool or str, as for llama-quantize's `--override-kv`.
/// Whole numbers are stored as u32, like there.
/// \throws Error (usage)
gguf::KeyValue parse_metadata_override(std::string_view text);

/// `L0,L1,L2…`, in any order, with or without blanks, as for llama.cpp's `--prune-layers`.
/// \throws Error (usage)
std::vector<std::uint32_t> parse_layers(std::string_view text);

}  // namespace sluice
