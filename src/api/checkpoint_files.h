#pragma once

#include <string_view>

#include "api/model_files.h"
#include "api/model_folder.h"

namespace sluice {

/// Opens a checkpoint as it was published: all its parts, of which only the headers are read, and the
/// small files that say what it is.
/// \param file  of the folder, which the user named: an index, or one of the parts; or empty
/// \param pre   see tokenizer::read
/// \throws Error
ModelFiles open_checkpoint(const ModelFolder& folder, std::string_view file, std::string_view pre);

}  // namespace sluice
