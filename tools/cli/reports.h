#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sluice/quantize.h"

namespace sluice::cli {

/// Writes a text to a file.
/// \throws Error (output_open, output_write; usage if a model is there)
void write_text(const std::string& text, const std::string& path);

/// Writes a document to a file.
/// \throws Error (output_open, output_write)
void write_json(const nlohmann::ordered_json& json, const std::string& path);

/// Prints a document to stdout, in ASCII, so that names in it cannot drive a terminal.
void print_json(const nlohmann::ordered_json& json);

/// A number, or null where it is none (JSON has neither NaN nor infinity).
nlohmann::ordered_json number_or_null(double value);

/// `0x1c291ca3`.
std::string checksum_text(std::uint32_t crc32);

/// Writes a run's facts as JSON.
/// \throws Error (output_open, output_write)
void write_report(const RunReport& report, const std::string& path);

/// Prints a run's summary to stdout, unless the console is quiet.
void print_summary(const RunReport& report);

}  // namespace sluice::cli
