#pragma once

#include <cstdint>
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

}  // namespace sluice

#pragma GCC visibility pop
