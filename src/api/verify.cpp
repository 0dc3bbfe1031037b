#include "sluice/verify.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <system_error>

#include "api/gguf_files.h"
#include "api/model_files.h"
#include "api/shared_output.h"
#include "base/clocks.h"
#include "base/text.h"
#include "base/threads.h"
#include "imatrix/importance_matrix.h"
#include "io/mapped_source.h"
#include "sluice/error.h"
#include "sluice/urls.h"
#include "sluice/used_files.h"
#include "verify/findings.h"
#include "verify/structure.h"
#include "verify/tensor_pairs.h"
#include "verify/verifier.h"

namespace sluice {
namespace {

// What the trace would destroy.
void refuse_trace(const VerifyOptions& options, const ModelFiles& output,
                  const ModelFiles* against) {
  std::vector<UsedFile> files = {{options.trace, "the trace", true},
                                 {options.imatrix, "the importance matrix"}};
  for (const io::File& part : output.parts) files.push_back({part.path(), "the output"});
  if (against != nullptr) {
    for (const io::File& part : against->parts) files.push_back({part.path(), "the source"});
  }
  refuse_shared_files(files);
}

/// Of an output of several runs that is not whole, the first file has another name.
/// \throws Error (input_open)
void refuse_waiting(const std::string& path) {
  std::error_code ignored;
  const std::string waiting = waiting_name(path);
  if (std::filesystem::exists(path, ignored) || !std::filesystem::exists(waiting, ignored)) return;
  throw Error(
      ErrorCode::input_open,
      fmt::format("is not whole yet: it is {} until all parts are made", visible(waiting)),
      {.file = path,
       .cure = "Run the parts that are left; or, where their files were copied together from "
               "machines that do not see one another, rename it"});
}

// An output that cannot be read as a model is a finding; one that is not there is an error.
std::optional<ModelFiles> open_output(const std::string& path, const std::atomic<bool>* stop,
                                      FindingList& findings) {
  refuse_waiting(path);
  try {
    return open_gguf(path, stop);
  } catch (const Error& error) {
    switch (error.code()) {
      case ErrorCode::input_format:
      case ErrorCode::input_truncated:
      case ErrorCode::input_type:
        findings.add({.fault = Fault::structure,
                      .file = error.context().file.empty() ? masked(path) : error.context().file,
                      .tensor = error.context().tensor,
                      .what = error.what(),
                      .rows = std::nullopt,
                      .offset = error.context().offset.value_or(0)});
        return std::nullopt;
      default:
        throw;
    }
  }
}

}  // namespace

std::string_view name(Fault fault) noexcept {
  switch (fault) {
    case Fault::structure:
      return "structure";
    case Fault::padding:
      return "padding";
    case Fault::missing_tensor:
      return "missing tensor";
    case Fault::extra_tensor:
      return "extra tensor";
    case Fault::shape:
      return "shape";
    case Fault::copy:
      return "copy";
    case Fault::scale:
      return "scale";
    case Fault::error:
      return "error";
    case Fault::source:
      return "source";
  }
  return "?";
}

VerifyReport verify(const VerifyOptions& options, Observer& observer) {
  const Stopwatch watch;
  std::optional<ModelFiles> against;
  if (!options.against.empty()) against = open_model(options.against, options.stop);
  std::optional<io::MappedFile> imatrix_file;
  std::optional<ImportanceMatrix> imatrix;
  if (!options.imatrix.empty()) {
    imatrix_file.emplace(io::File::open_input(options.imatrix, options.stop));
    imatrix = ImportanceMatrix::parse(imatrix_file->bytes(), imatrix_file->file().path());
  }

  FindingList findings;
  VerifyReport report;
  if (const std::optional<ModelFiles> output =
          open_output(options.output, options.stop, findings)) {
    for (std::size_t i = 0; i < output->parts.size(); ++i) {
      check_structure(output->parts[i], output->headers[i].header, findings);
    }
    refuse_trace(options, *output, against ? &*against : nullptr);
    const ModelView view = view_of(*output);
    std::optional<ModelView> source;
    if (against) source = view_of(*against);
    const ImportanceMatrix* matrix = imatrix ? &*imatrix : nullptr;
    const std::vector<TensorPair> pairs =
        pair_tensors(view, source ? &*source : nullptr, matrix, findings);
    check_tensors(pairs, matrix, options, observer, findings, report);
  }
  if (imatrix_file) imatrix_file->check();
  report.findings_in_all = findings.count();
  report.findings = findings.take();
  report.wall_s = watch.seconds();
  report.isa = name(options.isa);
  report.threads = thread_count(options.threads);
  return report;
}

}  // namespace sluice
