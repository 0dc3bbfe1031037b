#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "json_file.h"

namespace sluice::cli {

/// What is known of a run, and where it is from.
struct ReportedRun {
  std::string file;  ///< of the report
  nlohmann::json report;
};

/// The report of a run, `quantize --report`, or of a check, `verify --report`, which has errors and
/// sizes only. There are always `tensors`, each with a name, and `samples`; of a run for a size
/// also `mix`, what was chosen (`read_choice`).
/// \throws Error (input_format)
ReportedRun read_report(const JsonFile& file);

}  // namespace sluice::cli
