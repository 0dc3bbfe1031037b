#pragma once

#include <string>

#include "arguments.h"

namespace sluice::cli {

/// Looks at the files that the command line names, before any of them is touched: none that is
/// written may be another one or a model, and reports must be writable. (The library sees to the
/// parts of models, whose names it knows.)
/// \throws Error (output_is_input, usage, output_open)
void check_files(const Arguments& arguments);

/// Refuses to write a report, page or log where a model is, or what becomes one.
/// \param role  as in "the report"
/// \throws Error (usage)
void refuse_model(const std::string& path, const std::string& role);

}  // namespace sluice::cli
