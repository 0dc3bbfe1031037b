#pragma once

#include <filesystem>
#include <string>

namespace sluice {

/// The files of the demonstration, as paths.
struct DemoFiles {
  std::string model;    ///< a small LLaMA in BF16
  std::string imatrix;  ///< an importance matrix for it, in GGUF form
};

/// Writes a small model (3.3 million weights, 7 MB) and its importance matrix to `folder`, which is
/// made if it is missing, so that the main job can be seen without owning a checkpoint. The model
/// has all that a real one has, down to a tokenizer with byte fallback, and loads in llama.cpp; its
/// weights are random, so what it says means nothing. The same bytes on every machine.
/// \throws Error (output_open, output_write)
DemoFiles write_demo_model(const std::filesystem::path& folder);

}  // namespace sluice
