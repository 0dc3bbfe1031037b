#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/observer.h"
#include "sluice/quantize.h"
#include "sluice/tensor_type.h"

#pragma GCC visibility push(default)

namespace sluice {

/// Room for the output on its file system.
struct DiskSpace {
  std::string folder;           ///< where the output is made
  std::uint64_t needed = 0;     ///< bytes of the whole output
  std::uint64_t allocated = 0;  ///< of those, what an earlier run has set aside: used again
  /// Bytes that the user may still take. None if the folder is not there.
  std::optional<std::uint64_t> free;

  std::uint64_t still_needed() const { return needed - (allocated < needed ? allocated : needed); }
  /// False if it is known not to fit.
  bool enough() const { return !free || still_needed() <= *free; }
};

/// What an earlier run of the same output left behind.
struct EarlierRun {
  bool found = false;
  std::uint64_t done_bytes = 0;  ///< of the output, which are not made again
  double done_share = 0;         ///< of the input, 0 to 1: as a run that goes on tells it
  /// Why `quantize` would not go on with it; empty: it would. Where none is found, why `quantize`
  /// would refuse to write over what is there.
  std::string refused;
};

/// Memory that a run takes, in bytes.
struct MemoryNeed {
  std::uint64_t budget = 0;  ///< what it was given
  std::uint64_t least = 0;   ///< the smallest budget that would do
  std::uint64_t most = 0;    ///< what it would use of this budget; 0 if the budget is too small
  int threads = 1;

  bool enough() const { return least <= budget; }
};

/// How fast tensors of one type are made of another's.
struct ConversionRate {
  TensorType source = TensorType::f32;
  TensorType type = TensorType::f32;
  std::uint64_t weights = 0;  ///< still to be made
  double weights_per_s = 0;   ///< by all threads together
  /// Why it was measured on made-up weights and not on rows of the model: those looked at are zeros
  /// or not finite, or could not be read. Empty if it was measured on rows of the model.
  std::string made_up = {};
};

/// How long a run will take, from a measurement of a fraction of a second. Reading, computing and
/// writing overlap, so that the slower of disk and cores decides. What input and output on one file
/// system take adds up, with writes taken to be as fast as reads; writing to another one is taken
/// not to limit.
struct TimeEstimate {
  double seconds = 0;
  Limit limit = Limit::disk;  ///< which of the two that follow is longer
  double disk_s = 0;
  double cores_s = 0;
  double read_bytes_per_s = 0;  ///< of the input, past the page cache
  std::vector<ConversionRate> conversions;
  /// What of `cores_s` a calibration text takes, in seconds.
  struct Calibration {
    double forward_s = 0;   ///< running the model
    double moments_s = 0;   ///< summing second moments
    double factors_s = 0;   ///< factoring them
    double feedback_s = 0;  ///< encoding with feedback
  };
  std::optional<Calibration> calibration = {};
  /// What of all these a size takes before: measuring what types do to tensors, as far as the file of
  /// measurements lacks it. Each weight is read once, where a text is run, but the output's several times.
  struct Measuring {
    double seconds = 0;     ///< in all
    double disk_s = 0;      ///< of `disk_s`: reading, and writing states from which a run goes on
    double forward_s = 0;   ///< of `cores_s`: running the model and its variants
    double encoding_s = 0;  ///< encoding in all types, and decoding
    double errors_s = 0;    ///< multiplying sampled rows by tokens
    double moments_s = 0;   ///< second moments and their factors, for error feedback
  };
  std::optional<Measuring> measuring = {};  ///< none: nothing is left to be measured
};

/// A plan, what carrying it out needs, and how long it takes.
struct Forecast {
  PlanView plan;
  DiskSpace disk;
  EarlierRun earlier;
  MemoryNeed memory;
  bool shared_spindle = false;  ///< reads and writes will take turns
  std::string spindle;          ///< why, or why not
  std::optional<TimeEstimate> time;
  std::string no_time;  ///< why there is no estimate; empty if there is one
};

struct ForecastOptions {
  /// Measure, for the estimate: reads some MiB of the input, scattered, and encodes rows of it.
  bool estimate = true;
  double measure_s = 0.25;  ///< how long; a slow disk's last reads may take as long again
  /// For a size, measure first what the file of measurements lacks, and choose. Else nothing is measured
  /// but the machine: types are guessed where something is lacking, and the plan has no `mix`; the
  /// estimate tells how long measuring would take.
  bool choose = true;
};

/// Decides everything as `plan` does, and looks at the machine. Writes nothing, and leaves the page
/// cache as it is, but see `ForecastOptions::choose`. What cannot be measured or found out is left open: only what `plan` throws is
/// thrown.
/// \throws Error
Forecast forecast(const QuantizeOptions& options, const ForecastOptions& how = {});

/// The same, telling how far measuring for a size is: a first time it takes long, and its results are
/// kept in a file.
Forecast forecast(const QuantizeOptions& options, const ForecastOptions& how, Observer& observer);

}  // namespace sluice

#pragma GCC visibility pop
