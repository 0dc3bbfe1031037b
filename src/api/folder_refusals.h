#pragma once

// What people name in place of a checkpoint: each is told what it is.

#include <span>
#include <string>
#include <string_view>

#include "io/file.h"

namespace sluice {

/// \param names  of the folder's files
/// \throws Error (input_type: an adapter; input_open: folders with other things than a checkpoint)
void refuse_other_folders(const std::string& folder, std::span<const std::string> names);

/// \param begin  of the file
/// \throws Error (input_open) if Git has a pointer in its place
void refuse_pointer(const io::File& file, std::string_view begin);

}  // namespace sluice
