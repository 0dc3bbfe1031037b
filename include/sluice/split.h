#pragma once

#include <cstdint>

#pragma GCC visibility push(default)

namespace sluice {

/// Into which files the output goes: `NAME-00001-of-0000N.gguf`, which llama.cpp loads when it is
/// given the first. At most one rule is set; none: one file. Tensors keep their order.
struct SplitOptions {
  /// Most bytes of tensor data in a file, padding included. A tensor that has more gets a file of
  /// its own. Headers come on top, as in llama.cpp's gguf-split: the first file's holds the model's
  /// metadata and vocabulary, some megabytes.
  std::uint64_t max_bytes = 0;
  std::uint64_t max_tensors = 0;  ///< most tensors in a file
  bool keep = false;              ///< each tensor stays in the part that it is in in the input

  bool any() const { return max_bytes > 0 || max_tensors > 0 || keep; }
};

}  // namespace sluice

#pragma GCC visibility pop
