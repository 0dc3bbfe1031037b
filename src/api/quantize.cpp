#include "sluice/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <string_view>
#include <system_error>

#include "api/checkpoint.h"
#include "api/importance_check.h"
#include "api/output_names.h"
#include "api/prepared.h"
#include "base/text.h"
#include "base/threads.h"
#include "io/source.h"
#include "io/spindle.h"
#include "pipeline/pipeline.h"
#include "plan/plan.h"
#include "sluice/error.h"

namespace sluice {
namespace {

std::string_view mode_name(IoMode mode) {
  switch (mode) {
    case IoMode::mmap:
      return "mmap";
    case IoMode::plain:
      return "read";
    case IoMode::automatic:
    case IoMode::async:
      return "async";
  }
  return "read";
}

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

// Of a run that finds its work done.
RunReport report_of_complete(const Prepared& prepared) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  RunReport report;
  report.parts = parts_of(prepared);
  report.resumed_bytes = prepared.plan.output_size;
  for (const PlannedTensor& tensor : prepared.plan.tensors) {
    report.tensors.push_back({.name = tensor.name,
                              .source = tensor.source,
                              .type = tensor.type,
                              .shape = tensor.shape,
                              .source_bytes = tensor.input_size,
                              .bytes = tensor.output_size,
                              .weighted_error = kUnknown,
                              .plain_error = kUnknown});
  }
  return report;
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
  observer.note(
      fmt::format("{} tensors are larger than a file shall be, and get files of their own; the "
                  "largest, {}, has {} bytes",
                  count, printable(largest->name), largest->output_size));
}

}  // namespace

PlanView plan(const QuantizeOptions& options) {
  Prepared prepared;
  prepare(options, prepared);
  return view_of(prepared);
}

RunReport quantize(const QuantizeOptions& options, Observer& observer) {
  if (options.output.empty()) {
    throw Error(ErrorCode::output_open, "no output is named", {.cure = "Name the file to make"});
  }
  Prepared prepared;
  prepare(options, prepared);
  if (options.skip_existing && exists(prepared.names)) {
    observer.note(prepared.names.parts.front().path + " exists, and is left as it is");
    return {};
  }
  for (const std::string& note : prepared.plan.notes) observer.note(note);
  if (!options.ignore_imatrix_rules) require_importance(prepared.plan, prepared.matrix());
  check_importance(prepared, observer);

  const io::OpenedSource opened = io::open_source(options.io, prepared.files.parts);
  if (!opened.fallback_reason.empty()) {
    observer.note(fmt::format("--io {} is not to be had: {}; using --io {}", mode_name(options.io),
                              opened.fallback_reason, opened.source->name()));
  }
  const io::SpindleDecision spindle =
      io::decide_spindle(options.spindle, prepared.files.parts, prepared.names.work_path);
  if (options.spindle == Spindle::automatic && spindle.shared) {
    observer.note(spindle.reason + ": reading and writing take turns");
  }

  note_large_parts(options.split, prepared.plan, observer);

  Checkpoint checkpoint(prepared.names, binding_of(options, prepared));
  const Checkpoint::Found found = checkpoint.open(options, observer);
  if (found.complete) return report_of_complete(prepared);
  RunReport report =
      run_pipeline(prepared.plan, prepared.matrix(), prepared.files.parts, *opened.source,
                   checkpoint.sink(), checkpoint.journal(), found.records,
                   {.threads = thread_count(options.threads),
                    .memory = options.memory,
                    .isa = options.isa,
                    .effort = options.effort,
                    .measure_error = options.measure_error || options.verify,
                    .verify = options.verify,
                    .shared_spindle = spindle.shared,
                    .checkpoint_s = options.checkpoint_s,
                    .trace = options.trace,
                    .imatrix_file = prepared.imatrix ? &prepared.imatrix->file : nullptr,
                    .stop = options.stop},
                   observer);
  report.spindle = spindle.reason;
  report.parts = parts_of(prepared);
  check_unchanged(prepared);
  checkpoint.commit();
  return report;
}

}  // namespace sluice
