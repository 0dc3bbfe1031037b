#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/gguf.h"

#pragma GCC visibility push(default)

namespace sluice {

/// What the output's model has other than its source's, besides types.
struct ModelEdits {
  /// Metadata to set; of several values for a key the last counts. Rules of the mix see them too,
  /// as in llama.cpp.
  std::vector<gguf::KeyValue> metadata = {};
  /// Layers to leave out, ascending. Those that stay are numbered anew, and `block_count` and
  /// arrays with a value a layer shrink.
  std::vector<std::uint32_t> pruned_layers = {};
};

/// `KEY=TYPE:VALUE` with TYPE int, float, bool or str, as for llama-quantize's `--override-kv`.
/// Whole numbers are stored as u32, like there.
/// \throws Error (usage)
gguf::KeyValue parse_metadata_override(std::string_view text);

/// `L0,L1,L2…`, in any order, as for llama.cpp's `--prune-layers`. \throws Error (usage)
std::vector<std::uint32_t> parse_layers(std::string_view text);

}  // namespace sluice

#pragma GCC visibility pop
