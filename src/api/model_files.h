#pragma once

#include <string>
#include <vector>

#include "io/file.h"
#include "plan/plan.h"
#include "sluice/gguf.h"

namespace sluice {

/// The input files of one model, opened, with their headers merged.
struct ModelFiles {
  std::vector<io::File> parts;
  gguf::Header model;                     ///< metadata of the first part, tensors of all
  std::vector<TensorLocation> locations;  ///< one for each of model.tensors
};

/// Opens a GGUF file, or all parts of a split one when any of them is named.
/// \throws Error
ModelFiles open_model(const std::string& path);

}  // namespace sluice
