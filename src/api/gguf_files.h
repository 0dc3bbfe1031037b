#pragma once

#include <atomic>
#include <string>

#include "api/model_files.h"

namespace sluice {

/// Opens a GGUF file, or all parts of a split one when any of them is named.
/// \param path  of a file, or its URL
/// \param stop  ends all waiting for the network; may be null
/// \throws Error
ModelFiles open_gguf(const std::string& path, const std::atomic<bool>* stop = nullptr);

}  // namespace sluice
