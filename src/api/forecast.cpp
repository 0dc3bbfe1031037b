#include "sluice/forecast.h"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>
#include <vector>

#include "api/earlier_run.h"
#include "api/prepared.h"
#include "base/interval_set.h"
#include "base/threads.h"
#include "calibrate/calibration_time.h"
#include "engine/memory_plan.h"
#include "forecast/disk_space.h"
#include "forecast/encode_probe.h"
#include "forecast/read_probe.h"
#include "io/sink.h"
#include "io/spindle.h"
#include "measure/measuring_work.h"
#include "sluice/error.h"

namespace sluice {
namespace {

// Reading says less about a disk the shorter it lasts, encoding is steady.
constexpr double kReadingShare = 0.5;

std::vector<std::string> working_files(const OutputNames& names) {
  std::vector<std::string> files;
  for (std::size_t no = 0; no < names.parts.size(); ++no) {
    files.push_back(io::work_name_of(names.work_path, no));
  }
  return files;
}

/// What an earlier run has made; fills in what the user should know of it.
IntervalSet look_at_earlier_run(const QuantizeOptions& options, const Prepared& prepared,
                                EarlierRun& earlier) {
  if (options.output.empty()) return {};
  const journal::Binding now = binding_of(options, prepared);
  const EarlierFiles files = look_at_earlier(prepared.names, now);
  if (options.restart || !files.contents || files.contents->records.empty()) return {};
  earlier.found = true;
  const journal::Difference found = difference(files, now, options.same_input);
  earlier.refused = found.text;
  if (found.times_only) earlier.refused += " (of a copy, --same-input looks at the data instead)";
  if (!earlier.refused.empty()) return {};
  IntervalSet done = journal::ranges_of(files.contents->records);
  earlier.done_bytes = done.size();
  return done;
}

MemoryNeed memory_need(const QuantizeOptions& options, const Prepared& prepared) {
  const engine::MemoryNeeds needs =
      ChunkEncoder::memory_needs(prepared.streamed(), encoder_settings(options));
  const std::uint64_t held = engine::held_memory(options);
  MemoryNeed need{
      .budget = options.memory, .least = engine::told_least(needs, held), .threads = needs.threads};
  if (need.enough()) need.most = engine::plan_memory(needs, need.budget, held).total_bytes;
  if (prepared.calibration) {
    need.least = std::max(need.least, prepared.calibration->least_bytes);
    need.most = std::max(need.most, prepared.calibration->most_bytes);
  }
  return need;
}

// Of the input, as a run that goes on tells it.
double done_share(const QuantizeOptions& options, const Prepared& prepared,
                  const IntervalSet& done) {
  const engine::MemoryPlan memory = engine::plan_memory(
      ChunkEncoder::memory_needs(prepared.streamed(), encoder_settings(options)), options.memory,
      engine::held_memory(options));
  return share_done({.input_bytes_done = input_done(prepared, memory.unit_bytes, done),
                     .input_bytes = input_bytes(prepared)});
}

bool on_one_file_system(std::span<const io::File> inputs, const std::string& folder) {
  struct stat status {};
  return ::stat(folder.c_str(), &status) == 0 &&
         std::any_of(inputs.begin(), inputs.end(), [&](const io::File& input) {
           return input.identity().device == status.st_dev;
         });
}

bool has_feedback(const Prepared& prepared, std::size_t tensor) {
  return prepared.calibration &&
         prepared.calibration->model.plan.treatments[tensor] == calibrate::Treatment::feedback;
}

/// What is left to do of a plan.
struct Left {
  std::vector<std::uint64_t> weights;  // of each tensor
  std::vector<std::uint64_t> encoded;  // of these, those that are encoded without feedback
  double input_bytes = 0;
  double output_bytes = 0;
};

Left left_of(const Prepared& prepared, const IntervalSet& done) {
  const Plan& plan = prepared.plan;
  Left left;
  for (const PlannedTensor& tensor : plan.tensors) {
    const std::uint64_t there =
        done.overlap({tensor.output_offset, tensor.output_offset + tensor.output_size});
    const double share =
        1 - static_cast<double>(there) /
                static_cast<double>(std::max<std::uint64_t>(1, tensor.output_size));
    left.weights.push_back(
        static_cast<std::uint64_t>(std::llround(share * static_cast<double>(tensor.elements()))));
    left.encoded.push_back(has_feedback(prepared, left.weights.size() - 1) ? 0
                                                                           : left.weights.back());
    left.input_bytes += share * static_cast<double>(tensor.input_size);
    left.output_bytes += share * static_cast<double>(tensor.output_size);
  }
  return left;
}

int cores_of(const QuantizeOptions& options) {
  return std::min(thread_count(options.threads), core_count());
}

void add_calibration(const QuantizeOptions& options, const Prepared& prepared, Left& left,
                     TimeEstimate& time) {
  const calibrate::CalibrationTime seconds =
      calibrate::estimate(prepared.calibration->model, prepared.plan, left.weights, options.effort,
                          options.isa, cores_of(options));
  time.calibration = {.forward_s = seconds.forward,
                      .moments_s = seconds.moments,
                      .factors_s = seconds.factors,
                      .feedback_s = seconds.feedback};
  left.input_bytes += static_cast<double>(seconds.read_besides);
  time.cores_s += seconds.forward + seconds.moments + seconds.factors + seconds.feedback;
}

/// Comes before all else.
void add_measuring(const QuantizeOptions& options, const measure::MeasuringWork& work,
                   TimeEstimate& time) {
  const measure::MeasuringTime seconds =
      measure::estimate(work, options.effort, options.isa, cores_of(options));
  TimeEstimate::Measuring& measuring =
      time.measuring.emplace(TimeEstimate::Measuring{.forward_s = seconds.forward,
                                                     .encoding_s = seconds.encoding,
                                                     .errors_s = seconds.errors,
                                                     .moments_s = seconds.moments});
  double reading = 0;
  double writing = 0;
  if (time.read_bytes_per_s > 0) {
    reading = work.read / time.read_bytes_per_s;
    writing = work.written / time.read_bytes_per_s;
  }
  measuring.disk_s = reading + writing;
  measuring.seconds = std::max(reading, seconds.all()) + writing;
  time.disk_s += measuring.disk_s;
  time.cores_s += seconds.all();
  time.seconds += measuring.seconds;
}

TimeEstimate estimate(const QuantizeOptions& options, const Prepared& prepared, Left left,
                      const std::string& folder, double seconds) {
  const std::vector<io::File>& files = prepared.files.parts;
  TimeEstimate time;
  time.read_bytes_per_s = measure_reads(files, kReadingShare * seconds);
  time.conversions = measure_encoding(prepared.plan, left.encoded, prepared.matrix(), files,
                                      encoder_settings(options), (1 - kReadingShare) * seconds);
  if (prepared.calibration) add_calibration(options, prepared, left, time);
  for (const ConversionRate& rate : time.conversions) {
    if (rate.weights_per_s > 0) {
      time.cores_s += static_cast<double>(rate.weights) / rate.weights_per_s;
    }
  }
  if (time.read_bytes_per_s > 0) {
    const double written = on_one_file_system(files, folder) ? left.output_bytes : 0;
    time.disk_s = (left.input_bytes + written) / time.read_bytes_per_s;
  }
  time.seconds = std::max(time.disk_s, time.cores_s);
  if (prepared.measuring) add_measuring(options, *prepared.measuring, time);
  time.limit = time.disk_s > time.cores_s ? Limit::disk : Limit::cores;
  return time;
}

}  // namespace

Forecast forecast(const QuantizeOptions& asked, const ForecastOptions& how, Observer& observer) {
  QuantizeOptions options = asked;
  Prepared prepared;
  how.choose ? prepare(options, prepared, observer) : prepare_unmeasured(options, prepared);
  Forecast forecast;
  forecast.plan = view_of(prepared);
  forecast.disk = disk_space(prepared.names.work_path, working_files(prepared.names),
                             prepared.plan.output_size);
  IntervalSet done;
  try {
    done = look_at_earlier_run(options, prepared, forecast.earlier);
  } catch (const Error& error) {
    forecast.earlier.refused = error.what();
  }
  forecast.memory = memory_need(options, prepared);
  if (!done.empty() && forecast.memory.enough())
    forecast.earlier.done_share = done_share(options, prepared, done);
  io::SpindleDecision spindle =
      io::decide_spindle(options.spindle, prepared.files.parts, prepared.names.work_path);
  forecast.shared_spindle = spindle.shared;
  forecast.spindle = std::move(spindle.reason);
  if (!how.estimate) {
    forecast.no_time = "not asked for";
    return forecast;
  }
  try {
    forecast.time =
        estimate(options, prepared, left_of(prepared, done), forecast.disk.folder, how.measure_s);
  } catch (const std::exception& error) {
    forecast.no_time = error.what();
  }
  return forecast;
}

Forecast forecast(const QuantizeOptions& options, const ForecastOptions& how) {
  Observer nobody;
  return forecast(options, how, nobody);
}

}  // namespace sluice
