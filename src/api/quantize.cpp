#include "sluice/quantize.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <thread>

#include "api/model_files.h"
#include "io/mapped_source.h"
#include "io/sink.h"
#include "io/source.h"
#include "pipeline/pipeline.h"
#include "plan/plan.h"

namespace sluice {
namespace {

/// An importance matrix with the file that it reads from.
struct OpenedMatrix {
  io::MappedFile file;
  ImportanceMatrix matrix;
};

std::optional<OpenedMatrix> open_matrix(const std::string& path) {
  if (path.empty()) return std::nullopt;
  io::MappedFile file(io::File::open_input(path));
  ImportanceMatrix matrix = ImportanceMatrix::parse(file.bytes(), path);
  return OpenedMatrix{std::move(file), std::move(matrix)};
}

/// Input files, importance matrix and the plan that refers to them.
struct Prepared {
  ModelFiles files;
  std::optional<OpenedMatrix> imatrix;
  Plan plan;

  const ImportanceMatrix* matrix() const { return imatrix ? &imatrix->matrix : nullptr; }
};

// In place, because the plan points into the importance matrix.
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

int default_threads() {
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace

PlanView plan(const QuantizeOptions& options) {
  Prepared prepared;
  prepare(options, prepared);
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

RunReport quantize(const QuantizeOptions& options, Observer& observer) {
  Prepared prepared;
  prepare(options, prepared);
  if (!options.ignore_imatrix_rules) require_importance(prepared.plan, prepared.matrix());

  const io::OpenedSource opened = io::open_source(options.io, prepared.files.parts);
  if (!opened.fallback_reason.empty()) {
    observer.note(fmt::format("--io {} is not to be had: {}; using --io {}", mode_name(options.io),
                              opened.fallback_reason, opened.source->name()));
  }
  io::Sink sink(options.output, prepared.plan.output_size);
  RunReport report =
      run_pipeline(prepared.plan, prepared.matrix(), prepared.files.parts, *opened.source, sink,
                   {.threads = options.threads > 0 ? options.threads : default_threads(),
                    .memory = options.memory,
                    .isa = options.isa,
                    .effort = options.effort,
                    .measure_error = options.measure_error},
                   observer);
  sink.commit();
  return report;
}

}  // namespace sluice
