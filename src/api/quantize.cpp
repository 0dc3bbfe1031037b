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

// Streams all that an earlier run has not made through the encoder into the output's files.
void make_output(const QuantizeOptions& options, const Prepared& prepared,
                 std::span<const journal::Record> records, io::Source& source,
                 HalfMadeOutput& half_made, Observer& observer, RunReport& report) {
  const Plan& plan = prepared.plan;
  const EncoderSettings settings = encoder_settings(options);
  const engine::MemoryPlan memory = engine::plan_memory(
      ChunkEncoder::memory_needs(plan, settings), options.memory, engine::held_memory(options));
  const IntervalSet done = journal::ranges_of(records);
  ChunkEncoder encoder(plan, prepared.files.parts, prepared.matrix(),
                       prepared.imatrix ? &prepared.imatrix->file : nullptr, settings);
  RunState state(plan, done, encoder,
                 {.threads = settings.threads,
                  .measure_error = settings.measure_error,
                  .trace = options.trace},
                 observer);
  state.skip(ChunkCursor::input_done(plan, memory.unit_bytes, done));
  if (!records.empty()) {
    observer.note(fmt::format("resuming: {:.1f} % done", 100 * share_done(state.progress())));
  }
  engine::Turns turns(report.shared_spindle);
  ChunkProducer chunks(plan, ChunkCursor(plan, memory.unit_bytes, done), memory,
                       {source, turns, state});
  OutputWriter writer(plan, records, {half_made.sink(), half_made.journal(), turns, state},
                      {.extents = memory.extents, .checkpoint_s = options.checkpoint_s});
  writer.put_headers();
  const auto tell = [&] {
    for (const std::string& note : weight_notes(plan, state.tensors(), encoder)) {
      observer.note(note);
    }
  };
  try {
    engine::stream({chunks, encoder, &writer}, source, memory,
                   {.threads = settings.threads, .stop = options.stop}, turns, state);
  } catch (...) {
    tell();  // the run that goes on will not see these weights
    throw;
  }
  tell();

  state.report(report);
  report.resumed_bytes = done.size();
  report.tensors = std::move(state.tensors());
  for (std::size_t i = 0; i < report.tensors.size(); ++i) {
    report.tensors[i].crc32 = writer.crc32(i);
  }
  sum_errors(report);
}

}  // namespace

PlanView plan(const QuantizeOptions& options) {
  Prepared prepared;
  prepare(options, prepared);
  return view_of(prepared);
}

RunReport quantize(const QuantizeOptions& options, Observer& observer) {
  const auto began = std::chrono::system_clock::now();
  if (options.output.empty()) {
    throw Error(ErrorCode::output_open, "no output is named", {.cure = "Name the file to make"});
  }
  Prepared prepared;
  prepare(options, prepared);
  if (options.skip_existing && exists(prepared.names)) {
    observer.note(visible(prepared.names.parts.front().path) + " exists, and is left as it is");
    return {};
  }
  for (const std::string& note : prepared.plan.notes) observer.note(note);
  if (!options.ignore_imatrix_rules) require_importance(prepared.plan, prepared.matrix());
  check_importance(prepared, observer);

  engine::Input input(options, io::pointers_to(prepared.files.parts), observer);
  const io::SpindleDecision spindle =
      io::decide_spindle(options.spindle, prepared.files.parts, prepared.names.work_path);
  if (options.spindle == Spindle::automatic && spindle.shared) {
    observer.note(spindle.reason + ": reading and writing take turns");
  }

  note_large_parts(options.split, prepared.plan, observer);

  HalfMadeOutput half_made(prepared.names, binding_of(options, prepared));
  const HalfMadeOutput::Found found = half_made.open(options, observer);
  RunReport report = report_of_task(options, prepared, began);
  if (found.complete) {
    report_nothing_done(prepared.plan, report);
    return report;
  }
  report.shared_spindle = spindle.shared;
  report.spindle = spindle.reason;
  make_output(options, prepared, found.records, input.source(), half_made, observer, report);
  report.io = input.mode();
  if (!half_made.sink().direct()) {
    observer.note(
        fmt::format("the file system of {} refuses direct writes (O_DIRECT): it was "
                    "written through the page cache",
                    visible(half_made.sink().work_path())));
  }
  report.isa = name(options.isa);
  check_unchanged(prepared);
  half_made.commit();
  return report;
}

}  // namespace sluice
