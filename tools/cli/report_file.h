#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sluice::cli {

/// A run as its report tells of it: `quantize --report`, or `verify --report`, which has errors and
/// sizes only. What a report lacks is not there, or zero. Counts are doubles, since all that
/// pictures do with them is to divide.
struct ReportedTensor {
  std::string name;
  std::string source;  ///< type; may be empty
  std::string type;
  double weights = 0;
  double bytes = 0;
  std::optional<double> weighted_error;
  std::optional<double> plain_error;

  /// Its bytes were passed on as they were.
  bool copied() const { return source == type; }
};

struct ReportedSample {
  double time_s = 0;
  double read = 0;  ///< bytes since the start
  double written = 0;
  std::string limit;  ///< "disk", "cores" or "budget"
};

struct ReportedRun {
  std::string file;
  std::optional<double> wall_s, read_bytes, read_s, write_bytes, write_s, compute_s, wait_disk_s,
      wait_cores_s, wait_budget_s, workers_busy, resumed_bytes, peak_anon_bytes, threads;
  std::string io, spindle, spindle_reason, isa;
  std::vector<ReportedTensor> tensors;
  std::vector<ReportedSample> samples;
};

/// Reads a report, which anybody may have written: every value is checked.
/// \throws Error (input_open, input_format) naming file, place and cure
ReportedRun read_report(const std::string& path);

}  // namespace sluice::cli
