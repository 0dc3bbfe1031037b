#include "sluice/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "api/error_totals.h"
#include "api/half_made_output.h"
#include "api/importance_check.h"
#include "api/output_names.h"
#include "api/prepared.h"
#include "api/run_report.h"
#include "base/text.h"
#include "engine/input.h"
#include "engine/memory_plan.h"
#include "engine/stream.h"
#include "engine/turns.h"
#include "io/spindle.h"
#include "plan/plan.h"
#include "quantize/chunk_cursor.h"
#include "quantize/chunk_encoder.h"
#include "quantize/chunk_producer.h"
#include "quantize/output_writer.h"
#include "quantize/run_state.h"
#include "quantize/weight_notes.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice {
namespace {

// Room of the output's buffer while a model is run: matrices come one after the other.
constexpr std::size_t kExtentsOfCalibrated = 64;

// A file that was written to while it was read may have given anything.
void check_unchanged(const io::File& file, const io::FileState& then) {
  if (file.state() == then) return;
  throw Error(ErrorCode::input_changed, "was modified while it was read",
              {.file = file.path(),
               .cure = "Wait until whatever writes it is done, then run again with --restart"});
}

void check_unchanged(const Prepared& prepared) {
  const ModelFiles& files = prepared.files;
  for (std::size_t i = 0; i < files.parts.size(); ++i) {
    check_unchanged(files.parts[i], files.states[i]);
  }
  if (prepared.imatrix) check_unchanged(prepared.imatrix->file.file(), prepared.imatrix->state);
}

// That of a run whose output is gone says that layers are done which are not.
void remove_left_state(const std::string& file) {
  std::error_code error;
  std::filesystem::remove(file, error);
  if (!error) return;
  throw Error(ErrorCode::output_open,
              "is of a run whose output is gone, and cannot be removed: " + error.message(),
              {.file = file, .cure = "Remove it, or name another folder with --scratch"});
}

// Of a part that was made and named, when its run was cut off.
void remove_left_journal(const OutputNames& names) {
  journal::Journal journal(names.work_path + ".journal");
  std::error_code ignored;
  if (!std::filesystem::exists(names.work_path, ignored) && journal.load()) journal.remove();
}

// Whether all of the output's files are there.
bool exists(const OutputNames& names) {
  return std::ranges::all_of(names.parts, [](const io::SinkPart& part) {
    std::error_code ignored;
    return std::filesystem::exists(part.path, ignored);
  });
}

// A tensor is in one file, whatever its size.
void note_large_parts(const SplitOptions& split, const Plan& plan, Observer& observer) {
  if (split.max_bytes == 0) return;
  std::size_t count = 0;
  const PlannedTensor* largest = nullptr;
  for (const OutputPart& part : plan.parts) {
    if (part.size - part.header.size() <= split.max_bytes) continue;
    const PlannedTensor& tensor = plan.tensors[part.first_tensor];
    if (largest == nullptr || tensor.output_size > largest->output_size) largest = &tensor;
    ++count;
  }
  if (count == 0) return;
  observer.note(fmt::format("{} {} larger than a file shall be, and {}; the largest, {}, has {}",
                            counted(count, "tensor"), count == 1 ? "is" : "are",
                            count == 1 ? "gets a file of its own" : "get files of their own",
                            printable(largest->name),
                            bytes_text(static_cast<double>(largest->output_size))));
}

/// Makes all that an earlier run has not made.
class OutputRun {
 public:
  OutputRun(const QuantizeOptions& options, const Prepared& prepared,
            std::span<const journal::Record> records, HalfMadeOutput& half_made, Observer& observer,
            bool shared_spindle)
      : options_(options),
        prepared_(prepared),
        settings_(encoder_settings(options)),
        observer_(observer),
        memory_(memory_plan(options, prepared, settings_)),
        done_(journal::ranges_of(records)),
        found_(prepared.plan.tensors.size()),
        state_(prepared.plan, done_, found_,
               {.threads = settings_.threads,
                .measure_error = settings_.measure_error,
                .input_bytes = input_bytes(prepared),
                .trace = options.trace},
               observer),
        turns_(shared_spindle),
        writer_(prepared.plan, records, {half_made.sink(), half_made.journal(), turns_, state_},
                {.extents = memory_.extents, .checkpoint_s = options.checkpoint_s}) {
    state_.skip(input_done(prepared, memory_.unit_bytes, done_));
    if (!records.empty()) {
      observer.note(fmt::format("resuming: {:.1f} % done", 100 * share_done(state_.progress())));
    }
  }

  void run(io::Source& source) {
    try {
      writer_.put_headers();
      stream(source);
      if (prepared_.calibration) make_treated(source);
      state_.expect_all_made();
    } catch (...) {
      tell();  // the run that goes on will not see these weights
      throw;
    }
    tell();
  }

  void report(RunReport& report) {
    state_.report(report);
    report.resumed_bytes = done_.size();
    report.tensors = std::move(state_.tensors());
    for (std::size_t i = 0; i < report.tensors.size(); ++i) {
      report.tensors[i].crc32 = writer_.crc32(i);
    }
    sum_errors(report);
  }

 private:
  static engine::MemoryPlan memory_plan(const QuantizeOptions& options, const Prepared& prepared,
                                        const EncoderSettings& settings) {
    engine::MemoryPlan memory =
        engine::plan_memory(ChunkEncoder::memory_needs(prepared.streamed(), settings),
                            options.memory, engine::held_memory(options));
    if (prepared.calibration) memory.extents = std::min(memory.extents, kExtentsOfCalibrated);
    return memory;
  }

  void stream(io::Source& source) {
    const Plan& plan = prepared_.streamed();
    ChunkEncoder encoder(plan, prepared_.files.parts, prepared_.matrix(),
                         prepared_.imatrix ? &prepared_.imatrix->file : nullptr, settings_, found_);
    ChunkProducer chunks(plan, ChunkCursor(plan, memory_.unit_bytes, done_), memory_,
                         {source, turns_, state_});
    engine::stream({chunks, encoder, &writer_}, source, memory_,
                   {.threads = settings_.threads, .stop = options_.stop}, turns_, state_);
  }

  void make_treated(io::Source& source) {
    calibrate::RowOutput output(prepared_.plan, done_, writer_, state_, found_);
    try {
      calibrate::make_treated(prepared_.calibration->model, prepared_.plan, settings_, source,
                              state_, output, observer_);
    } catch (...) {
      writer_.save();
      throw;
    }
  }

  void tell() {
    for (const std::string& note : weight_notes(prepared_.plan, state_.tensors(), found_)) {
      observer_.note(note);
    }
  }

  const QuantizeOptions& options_;
  const Prepared& prepared_;
  const EncoderSettings settings_;
  Observer& observer_;
  const engine::MemoryPlan memory_;
  const IntervalSet done_;
  EncodingFindings found_;
  RunState state_;
  engine::Turns turns_;
  OutputWriter writer_;
};

}  // namespace

PlanView plan(const QuantizeOptions& asked) {
  QuantizeOptions options = asked;
  Prepared prepared;
  Observer nobody;
  prepare(options, prepared, nobody);
  return view_of(prepared);
}

RunReport quantize(const QuantizeOptions& asked, Observer& observer) {
  const auto began = std::chrono::system_clock::now();
  QuantizeOptions options = asked;
  if (options.output.empty()) {
    throw Error(ErrorCode::output_open, "no output is named", {.cure = "Name the file to make"});
  }
  Prepared prepared;
  prepare(options, prepared, observer);
  const OutputNames& all = prepared.shared ? prepared.shared->names : prepared.names;
  if (options.skip_existing && exists(all)) {
    observer.note(visible(all.parts.front().path) + " exists, and is left as it is");
    return {};
  }
  for (const std::string& note : prepared.plan.notes) observer.note(note);
  if (prepared.shared && prepared.shared->shares[options.share.number - 1].files == 0) return {};
  if (!options.ignore_imatrix_rules) require_importance(prepared.plan, prepared.matrix());
  check_importance(prepared, observer);

  engine::Input input(options, io::pointers_to(prepared.files.parts), observer);
  const io::SpindleDecision spindle =
      io::decide_spindle(options.spindle, prepared.files.parts, prepared.names.work_path);
  if (options.spindle == Spindle::automatic && spindle.shared) {
    observer.note(spindle.reason + ": reading and writing take turns");
  }

  note_large_parts(options.split, prepared.plan, observer);

  std::optional<SharedOutput> shared;
  if (prepared.shared) {
    shared.emplace(options, *prepared.shared, binding_of_all(options, prepared));
  }
  RunReport report = report_of_task(options, prepared, began);
  if (shared && !shared->begin(observer)) {
    remove_left_journal(prepared.names);
    report_nothing_done(prepared.plan, report);
    return report;
  }
  HalfMadeOutput half_made(prepared.names, binding_of(options, prepared));
  const HalfMadeOutput::Found found = half_made.open(options, observer);
  if (found.complete) {
    if (shared) shared->finish(observer);
    report_nothing_done(prepared.plan, report);
    return report;
  }
  report.shared_spindle = spindle.shared;
  report.spindle = spindle.reason;
  if (prepared.calibration && found.records.empty()) {
    remove_left_state(prepared.calibration->model.state_file);
  }
  OutputRun run(options, prepared, found.records, half_made, observer, spindle.shared);
  run.run(input.source());
  run.report(report);
  report.io = input.mode();
  report.cached_bytes = input.cached_bytes();
  if (!half_made.sink().direct()) {
    observer.note(
        fmt::format("the file system of {} refuses direct writes (O_DIRECT): it was "
                    "written through the page cache",
                    visible(half_made.sink().work_path())));
  }
  report.isa = name(options.isa);
  check_unchanged(prepared);
  if (shared) shared->clear();
  half_made.commit([&] {
    if (shared) shared->finish(observer);
  });
  return report;
}

}  // namespace sluice
