#include "sluice/quantize.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>
#include <thread>

#include "api/checkpoint.h"
#include "api/model_files.h"
#include "api/output_names.h"
#include "base/text.h"
#include "io/mapped_source.h"
#include "io/source.h"
#include "io/spindle.h"
#include "pipeline/pipeline.h"
#include "plan/plan.h"
#include "sluice/error.h"
#include "sluice/version.h"

namespace sluice {
namespace {

/// An importance matrix with the file that it reads from.
struct OpenedMatrix {
  io::MappedFile file;
  ImportanceMatrix matrix;
  std::uint64_t hash;  ///< tells it from another, or from an older one of the same name
};

// By size, time and beginning: reading a gigabyte for more would take seconds on a hard disk.
std::uint64_t hash_of(const io::FileState& state, std::span<const std::byte> bytes) {
  constexpr std::size_t kBeginning = std::size_t{64} << 10;
  const std::uint64_t seed = state.size ^ static_cast<std::uint64_t>(state.modified_ns);
  return XXH3_64bits_withSeed(bytes.data(), std::min(bytes.size(), kBeginning), seed);
}

// None either if no entry counts, as in the peers.
std::optional<OpenedMatrix> open_matrix(const std::string& path, const ImatrixFilter& filter) {
  if (path.empty()) return std::nullopt;
  io::File input = io::File::open_input(path);
  const io::FileState state = input.state();
  io::MappedFile file(std::move(input));
  try {
    ImportanceMatrix matrix = ImportanceMatrix::parse(file.bytes(), path);
    const std::uint64_t hash = hash_of(state, file.bytes());
    file.check();
    matrix.keep_only(filter);
    if (matrix.size() == 0 && !(filter.include.empty() && filter.exclude.empty())) {
      return std::nullopt;
    }
    return OpenedMatrix{std::move(file), std::move(matrix), hash};
  } catch (const Error&) {
    file.check();  // what could not be read looks like a broken format
    throw;
  }
}

/// Input files, importance matrix, the plan that refers to them and the output's names.
struct Prepared {
  ModelFiles files;
  std::optional<OpenedMatrix> imatrix;
  Plan plan;
  OutputNames names;

  const ImportanceMatrix* matrix() const { return imatrix ? &imatrix->matrix : nullptr; }
};

// In place, because the plan points into the importance matrix.
void prepare(const QuantizeOptions& options, Prepared& prepared) {
  prepared.files = open_model(options.input);
  prepared.imatrix = open_matrix(options.imatrix, options.use);
  RecipeOptions recipe = options;
  recipe.has_imatrix = prepared.imatrix.has_value();
  const PlanRequest request{.recipe = std::move(recipe),
                            .split = options.split,
                            .edits = options.edits,
                            .hide_imatrix = options.hide_imatrix,
                            .allow_requantize = options.allow_requantize,
                            .effort = options.effort,
                            .imatrix = prepared.matrix()};
  prepared.plan = make_plan(request, prepared.files.model, prepared.files.locations,
                            prepared.files.parts.front().path());
  prepared.names = names_of(options, prepared.plan.parts);
  if (!options.output.empty()) {
    io::refuse_output_over_input(prepared.names.work_path, prepared.names.parts,
                                 prepared.files.parts);
  }
}

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

// Everything that the output's bytes depend on and that can change between two runs.
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
  binding.options = fmt::format("{}{}, {} mix, effort {}{}", options.file_type->name,
                                options.pure ? " --pure" : "",
                                options.mix == Mix::llama_cpp ? "llama.cpp" : "ik_llama.cpp",
                                name(options.effort), split_text(options.split));
  binding.plan_hash = hash_of(prepared.plan);
  binding.output_size = prepared.plan.output_size;
  return binding;
}

std::vector<PartReport> parts_of(const Prepared& prepared) {
  std::vector<PartReport> parts;
  for (std::size_t no = 0; no < prepared.plan.parts.size(); ++no) {
    const OutputPart& part = prepared.plan.parts[no];
    parts.push_back({prepared.names.parts[no].path, part.size, part.tensors});
  }
  return parts;
}

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

int default_threads() {
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace

PlanView plan(const QuantizeOptions& options) {
  Prepared prepared;
  prepare(options, prepared);
  PlanView view;
  for (const PlannedTensor& tensor : prepared.plan.tensors) {
    view.tensors.push_back(
        {.name = tensor.name,
         .shape = tensor.shape,
         .source = tensor.source,
         .type = tensor.type,
         .rule = tensor.rule,
         .part = tensor.output_part,
         .offset = tensor.output_offset - prepared.plan.parts[tensor.output_part].begin,
         .size = tensor.output_size});
    view.weights += tensor.elements();
  }
  for (const std::uint32_t index : prepared.plan.missing_importance) {
    view.missing_importance.push_back(prepared.plan.tensors[index].name);
  }
  view.notes = prepared.plan.notes;
  view.input_bytes = prepared.plan.input_size;
  view.output_bytes = prepared.plan.output_size;
  view.parts = parts_of(prepared);
  return view;
}

RunReport quantize(const QuantizeOptions& options, Observer& observer) {
  Prepared prepared;
  prepare(options, prepared);
  if (options.skip_existing && exists(prepared.names)) {
    observer.note(prepared.names.parts.front().path + " exists, and is left as it is");
    return {};
  }
  for (const std::string& note : prepared.plan.notes) observer.note(note);
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

  note_large_parts(options.split, prepared.plan, observer);

  Checkpoint checkpoint(prepared.names, binding_of(options, prepared));
  const Checkpoint::Found found = checkpoint.open(options, observer);
  if (found.complete) return report_of_complete(prepared);
  RunReport report =
      run_pipeline(prepared.plan, prepared.matrix(), prepared.files.parts, *opened.source,
                   checkpoint.sink(), checkpoint.journal(), found.records,
                   {.threads = options.threads > 0 ? options.threads : default_threads(),
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
  check_unchanged(prepared.files);
  checkpoint.commit();
  return report;
}

}  // namespace sluice
