#pragma once

#include "json_file.h"

namespace sluice::cli {

/// Whether a file is of `recipe --json`, a choice of types for a size.
bool is_choice(const JsonFile& file);

/// A choice as pages use it: numbers of the whole file, `tensors`, each with a name and one type or
/// more, of which `chosen` is one, `frontier` and `mixes`.
/// \param object  the choice in the file: its root, or what a run was made by
/// \throws Error (input_format)
nlohmann::json read_choice(const JsonFile& file, const nlohmann::json& object);

}  // namespace sluice::cli
