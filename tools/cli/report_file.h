#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace sluice::cli {

/// What is known of a run, and where it is from.
struct ReportedRun {
  std::string file;  ///< of the report
  nlohmann::json report;
};

/// Reads the report of a run, `quantize --report`, or of a check, `verify --report`, which has
/// errors and sizes only. Anybody may have written it: what pages use of it is of the right type,
/// numbers are finite and not negative; all else is left out, as are nulls. There are always
/// `tensors`, each with a name, and `samples`.
/// \throws Error (input_open, input_format) naming file, place and cure
ReportedRun read_report(const std::string& path);

}  // namespace sluice::cli
