#include "api/calibration.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <filesystem>

#include "api/calibration_tokens.h"
#include "base/checked.h"
#include "base/threads.h"
#include "calibrate/walk_state.h"
#include "engine/memory_plan.h"
#include "quantize/chunk_encoder.h"
#include "sluice/error.h"

namespace sluice {
namespace {

// Beside what is shared out: the output's buffer, stacks, allocator slack.
constexpr std::uint64_t kBesideWalk = std::uint64_t{40} << 20;

std::uint64_t whole_mib(std::uint64_t bytes) {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  return align_up(bytes, kMiB) / kMiB;
}

/// Tensors with a treatment have importance.
void forgive_missing(const calibrate::CalibrationPlan& calibration, Plan& plan) {
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    if (calibration.treatments[i] != calibrate::Treatment::none) {
      plan.tensors[i].lacks_importance = false;
    }
  }
  std::erase_if(plan.missing_importance, [&](std::uint32_t tensor) {
    return calibration.treatments[tensor] != calibrate::Treatment::none;
  });
}

void refuse_without_feedback(const calibrate::CalibrationPlan& calibration, std::uint64_t beside,
                             const std::string& file) {
  if (calibration.has_feedback()) return;
  if (calibration.bytes_of_all > calibration.bytes) {
    throw Error(ErrorCode::memory_budget,
                fmt::format("--memory is too small for error feedback of any tensor: with {}M it "
                            "serves all of them",
                            whole_mib(beside + calibration.bytes_of_all)),
                {.file = file, .cure = "Raise --memory, or quantize without --calibrate"});
  }
  throw Error(ErrorCode::usage,
              "none of the tensors that a text would serve becomes a type with error feedback",
              {.file = file,
               .cure = "Quantize without --calibrate (an importance matrix may serve), or choose "
                       "another type"});
}

/// Of all that the stream between two layers depends on.
std::uint64_t binding_of_state(const ModelFiles& files, const model::Tokens& tokens) {
  std::vector<std::uint64_t> numbers = {hash_of(tokens)};
  numbers.insert(numbers.end(), files.header_hashes.begin(), files.header_hashes.end());
  for (const SmallFile& small : files.small_files) numbers.push_back(small.hash);
  for (const io::File& part : files.parts) numbers.push_back(part.size());
  return XXH3_64bits(numbers.data(), numbers.size() * sizeof(std::uint64_t));
}

/// Of what the embedding becomes, which is in memory while a second stream begins.
std::uint64_t embedding_bytes(const Plan& plan, const calibrate::TensorIndex& index) {
  const auto embedding = index.find("token_embd.weight");
  return embedding ? plan.tensors[*embedding].output_size : 0;
}

/// A second stream depends on what the output is too.
void bind_to(const Plan& plan, Effort effort, std::uint64_t& binding) {
  std::vector<std::uint64_t> numbers = {binding, static_cast<std::uint64_t>(effort)};
  for (const PlannedTensor& tensor : plan.tensors) {
    numbers.push_back(static_cast<std::uint64_t>(tensor.type));
  }
  binding = XXH3_64bits(numbers.data(), numbers.size() * sizeof(std::uint64_t));
}

}  // namespace

std::string state_file_of(const QuantizeOptions& options, const OutputNames& names) {
  std::string beside = names.work_path + ".state";
  if (options.calibration.scratch.empty()) return beside;
  return std::filesystem::path(options.calibration.scratch) /
         std::filesystem::path(beside).filename();
}

std::unique_ptr<Calibration> open_calibration(const QuantizeOptions& options,
                                              const ModelFiles& files) {
  const std::string& file = files.parts.front().path();
  model::Network network = model::Network::of(files.model, file);
  model::Tokens tokens = calibration_tokens(options.calibration, files.model, file,
                                            network.vocabulary(), options.stop);
  return std::make_unique<Calibration>(
      Calibration{{.source = {files.model, files.weights, io::pointers_to(files.parts)},
                   .network = std::move(network),
                   .tokens = std::move(tokens),
                   .refit = options.calibration.refit},
                  {}});
}

CalibrationFacts facts_of(const QuantizeOptions& options, const Calibration& calibration) {
  const model::Tokens& tokens = calibration.model.tokens;
  CalibrationFacts facts{
      .files = {}, .tokens = tokens.ids.size(), .sequence_length = tokens.sequence_length};
  // Their folders are nobody's business and make equal runs differ.
  const auto add = [&](const std::string& file) {
    if (file.empty()) return;
    facts.files +=
        (facts.files.empty() ? "" : ", ") + std::filesystem::path(file).filename().string();
  };
  for (const std::string& text : options.calibration.texts) add(text);
  add(options.calibration.tokens);
  return facts;
}

void decide(const QuantizeOptions& options, const ModelFiles& files, const OutputNames& names,
            Plan& plan, Calibration& calibration) {
  calibrate::CalibratedModel& model = calibration.model;
  const int threads = thread_count(options.threads);
  const std::uint64_t beside = engine::held_memory(options) + kBesideWalk +
                               ChunkEncoder::bytes_of_preparations(plan, options.isa);
  model.index = calibrate::TensorIndex(plan, files.model);
  auto least =
      calibrate::WalkMemory::least(model.network, calibrate::walked_tokens(model),
                                   calibrate::MatrixMap(model.source), threads, model.refit);
  if (model.refit) {
    least.layer = std::max(least.layer, least.stream / 2 + embedding_bytes(plan, model.index));
  }
  least.within(options.memory, beside);
  const std::uint64_t taken = least.total() + beside;
  model.plan = calibrate::plan_calibration(plan, model.index, model.network, options.memory - taken,
                                           threads, model.refit ? model.tokens.sequence_length : 0);
  refuse_without_feedback(model.plan, taken, files.parts.front().path());
  forgive_missing(model.plan, plan);
  plan.notes.insert(plan.notes.end(), model.plan.notes.begin(), model.plan.notes.end());
  if (model.plan.bytes_of_all > model.plan.bytes) {
    plan.notes.push_back(fmt::format("with --memory {}M all of them have room",
                                     whole_mib(taken + model.plan.bytes_of_all)));
  }
  model.memory = least.within(options.memory, beside + model.plan.bytes);
  calibration.least_bytes = taken + model.plan.bytes;
  calibration.most_bytes = model.memory.total() + beside + model.plan.bytes;
  model.state_file = state_file_of(options, names);
  model.state_binding = binding_of_state(files, model.tokens);
  if (model.refit) bind_to(plan, options.effort, model.state_binding);
  calibration.rest = calibrate::without_treated(plan, model.plan);
}

void add_calibration(const Calibration& calibration, PlanView& view) {
  using calibrate::Treatment;
  const calibrate::CalibratedModel& model = calibration.model;
  const std::vector<Treatment>& treatments = model.plan.treatments;
  for (std::size_t i = 0; i < treatments.size(); ++i) {
    view.tensors[i].calibration = treatments[i] == Treatment::feedback     ? "feedback"
                                  : treatments[i] == Treatment::importance ? "mean squares"
                                                                           : "";
  }
  const auto count = [&](Treatment treatment) {
    return static_cast<std::uint64_t>(std::ranges::count(treatments, treatment));
  };
  view.calibration = {.tokens = model.tokens.ids.size(),
                      .sequence_length = model.tokens.sequence_length,
                      .feedback_tensors = count(Treatment::feedback),
                      .mean_squares_tensors = count(Treatment::importance),
                      .state_file = model.state_file,
                      .state_bytes = calibrate::WalkState::bytes(
                          (model.refit ? 2 : 1) * model.tokens.ids.size(), model.network.width())};
}

std::string calibration_text(const Calibration* calibration) {
  if (calibration == nullptr) return {};
  const model::Tokens& tokens = calibration->model.tokens;
  const std::vector<calibrate::Treatment>& treatments = calibration->model.plan.treatments;
  return fmt::format(
      ", calibrated on {} tokens in sequences of {} ({:016x}){}, feedback for {} "
      "tensors ({:016x})",
      tokens.ids.size(), tokens.sequence_length, hash_of(tokens),
      calibration->model.refit ? ", refitted" : "",
      std::ranges::count(treatments, calibrate::Treatment::feedback),
      XXH3_64bits(treatments.data(), treatments.size()));
}

}  // namespace sluice
