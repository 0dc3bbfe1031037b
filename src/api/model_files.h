#pragma once

#include <string>
#include <vector>

#include "gguf/split.h"
#include "io/file.h"
#include "plan/plan.h"
#include "sluice/gguf.h"

namespace sluice {

/// The input files of one model, opened, with their headers merged.
struct ModelFiles {
  std::vector<io::File> parts;
  std::vector<gguf::Part> headers;           ///< one for each part, as it stands in the file
  gguf::Header model;                        ///< metadata of the first part, tensors of all
  std::vector<TensorLocation> locations;     ///< one for each of model.tensors
  std::vector<std::uint64_t> header_hashes;  ///< XXH3 of each part's header
  std::vector<io::FileState> states;         ///< of the parts, before anything was read
};

/// Opens a GGUF file, or all parts of a split one when any of them is named.
/// \throws Error
ModelFiles open_model(const std::string& path);

}  // namespace sluice
