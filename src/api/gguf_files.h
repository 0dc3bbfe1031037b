#pragma once

#include <string>

#include "api/model_files.h"

namespace sluice {

/// Opens a GGUF file, or all parts of a split one when any of them is named.
/// \throws Error
ModelFiles open_gguf(const std::string& path);

}  // namespace sluice
