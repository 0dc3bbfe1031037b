#include "sluice/quantize.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <thread>

#include "api/checkpoint.h"
#include "api/prepared.h"
#include "io/source.h"
#include "io/spindle.h"
#include "pipeline/pipeline.h"
#include "plan/plan.h"
#include "sluice/error.h"
#include "sluice/version.h"

namespace sluice {
namespace {

// By size, time and beginning: reading a gigabyte for more would take seconds on a hard disk.
std::uint64_t hash_of(const io::FileState& state, std::span<const std::byte> bytes) {
  constexpr std::size_t kBeginning = std::size_t{64} << 10;
  const std::uint64_t seed = state.size ^ static_cast<std::uint64_t>(state.modified_ns);
  return XXH3_64bits_withSeed(bytes.data(), std::min(bytes.size(), kBeginning), seed);
}

std::optional<OpenedMatrix> open_matrix(const std::string& path) {
  if (path.empty()) return std::nullopt;
  io::File input = io::File::open_input(path);
  const io::FileState state = input.state();
  io::MappedFile file(std::move(input));
  try {
    ImportanceMatrix matrix = ImportanceMatrix::parse(file.bytes(), path);
    const std::uint64_t hash = hash_of(state, file.bytes());
    file.check();
    return OpenedMatrix{std::move(file), std::move(matrix), hash};
  } catch (const Error&) {
    file.check();  // what could not be read looks like a broken format
    throw;
  }
}

}  // namespace

void prepare(const QuantizeOptions& options, Prepared& prepared) {
  prepared.files = open_model(options.input);
  if (!options.output.empty()) {
    io::refuse_output_over_input(options.output, prepared.files.parts);
  }
  prepared.imatrix = open_matrix(options.imatrix);
  const PlanRequest request{.recipe = {.mix = options.mix,
                                       .file_type = options.file_type,
                                       .pure = options.pure,
                                       .has_imatrix = prepared.imatrix.has_value()},
                            .allow_requantize = options.allow_requantize,
                            .effort = options.effort,
                            .imatrix = prepared.matrix()};
  prepared.plan = make_plan(request, prepared.files.model, prepared.files.locations,
                            prepared.files.parts.front().path());
}

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

}  // namespace

journal::Binding binding_of(const QuantizeOptions& options, const Prepared& prepared) {
  journal::Binding binding;
  binding.version = version();
  for (std::size_t i = 0; i < prepared.files.parts.size(); ++i) {
    const io::FileState& state = prepared.files.states[i];
    binding.inputs.push_back({.path = prepared.files.parts[i].path(),
                              .size = state.size,
                              .modified_ns = state.modified_ns,
                              .header_hash = prepared.files.header_hashes[i]});
  }
  if (prepared.imatrix) {
    binding.imatrix = options.imatrix;
    binding.imatrix_hash = prepared.imatrix->hash;
  }
  binding.options = fmt::format(
      "{}{}, {} mix, effort {}", options.file_type->name, options.pure ? " --pure" : "",
      options.mix == Mix::llama_cpp ? "llama.cpp" : "ik_llama.cpp", name(options.effort));
  binding.plan_hash = hash_of(prepared.plan);
  binding.output_size = prepared.plan.output_size;
  return binding;
}

namespace {

// A file that was written to while it was read may have given anything.
void check_unchanged(const ModelFiles& files) {
  for (std::size_t i = 0; i < files.parts.size(); ++i) {
    if (files.parts[i].state() == files.states[i]) continue;
    throw Error(ErrorCode::input_changed, "was modified while it was read",
                {.file = files.parts[i].path(),
                 .cure = "Wait until whatever writes it is done, then run again with --restart"});
  }
}

// Of a run that finds its work done.
RunReport report_of_complete(const Plan& plan) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  RunReport report;
  report.resumed_bytes = plan.output_size;
  for (const PlannedTensor& tensor : plan.tensors) {
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

}  // namespace

int threads_of(const QuantizeOptions& options) {
  if (options.threads > 0) return options.threads;
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

PlanView view_of(const Prepared& prepared) {
  PlanView view;
  for (const PlannedTensor& tensor : prepared.plan.tensors) {
    view.tensors.push_back({.name = tensor.name,
                            .shape = tensor.shape,
                            .source = tensor.source,
                            .type = tensor.type,
                            .rule = tensor.rule,
                            .offset = tensor.output_offset,
                            .size = tensor.output_size});
    view.weights += tensor.elements();
  }
  for (const std::uint32_t index : prepared.plan.missing_importance) {
    view.missing_importance.push_back(prepared.plan.tensors[index].name);
  }
  view.input_bytes = prepared.plan.input_size;
  view.output_bytes = prepared.plan.output_size;
  return view;
}

PlanView plan(const QuantizeOptions& options) {
  Prepared prepared;
  prepare(options, prepared);
  return view_of(prepared);
}

RunReport quantize(const QuantizeOptions& options, Observer& observer) {
  Prepared prepared;
  prepare(options, prepared);
  if (!options.ignore_imatrix_rules) require_importance(prepared.plan, prepared.matrix());

  const io::OpenedSource opened = io::open_source(options.io, prepared.files.parts);
  if (!opened.fallback_reason.empty()) {
    observer.note(fmt::format("--io {} is not to be had: {}; using --io {}", mode_name(options.io),
                              opened.fallback_reason, opened.source->name()));
  }
  const io::SpindleDecision spindle =
      io::decide_spindle(options.spindle, prepared.files.parts, options.output);
  if (options.spindle == Spindle::automatic && spindle.shared) {
    observer.note(spindle.reason + ": reading and writing take turns");
  }

  Checkpoint checkpoint(options, binding_of(options, prepared), prepared.plan.output_size);
  const Checkpoint::Found found = checkpoint.open(options, observer);
  if (found.complete) return report_of_complete(prepared.plan);
  RunReport report =
      run_pipeline(prepared.plan, prepared.matrix(), prepared.files.parts, *opened.source,
                   checkpoint.sink(), checkpoint.journal(), found.records,
                   {.threads = threads_of(options),
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
  check_unchanged(prepared.files);
  checkpoint.commit();
  return report;
}

}  // namespace sluice
