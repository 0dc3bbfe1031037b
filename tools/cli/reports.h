#pragma once

#include <string>
#include <string_view>

#include "sluice/quantize.h"

namespace sluice::cli {

/// Writes a text to a file.
/// \throws Error (output_open, output_write; usage if a model is there)
void write_text(const std::string& text, const std::string& path,
                const std::string& role = "the report");

/// Prints a document, UTF-8, to stdout in ASCII, so that names in it cannot drive a terminal.
void print_json(std::string_view json);

/// Prints a run's summary to stdout, unless the console is quiet.
void print_summary(const RunReport& report);

}  // namespace sluice::cli
