#include "measure/measure_text.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/clocks.h"
#include "base/text.h"
#include "base/thread.h"
#include "calibrate/matrix_map.h"
#include "calibrate/model_weights.h"
#include "calibrate/walk.h"
#include "engine/team.h"
#include "io/source.h"
#include "measure/layer_variants.h"
#include "measure/output_variants.h"
#include "sluice/error.h"

namespace sluice::measure {
namespace {

// Changes with whatever changes a number.
constexpr const char* kTextMethod = "text 6";

// Stacks, allocator slack, sums of columns.
constexpr std::uint64_t kAround = std::uint64_t{24} << 20;

/// What inputs that are seen side by side, or the output's, need beside weights and stream: their samples,
/// matrices as variants have them, and encoding.
std::uint64_t bytes_of(const std::vector<model::Input>& together,
                       const std::vector<TextSubject>& subjects, const TextRequest& request,
                       std::size_t sample) {
  const int threads = request.request.settings.threads;
  std::uint64_t held = 0;
  std::uint64_t most = 0;
  for (const model::Input& input : together) {
    std::uint64_t of_input = 0;
    for (const TextSubject& subject : subjects) {
      if (std::ranges::find(input.tensors, subject.name) == input.tensors.end()) continue;
      const std::uint64_t triangle =
          request.calibrated ? linear::Triangle::bytes(subject.columns) : 0;
      held += EncodedMatrix::bytes(subject.run_type, subject.rows, subject.columns) + triangle;
      of_input = sample * subject.columns * sizeof(float);
      most = std::max(
          most, input_errors_bytes(subject.columns, sample, request.calibrated, threads) +
                    EncodedMatrix::scratch_bytes(subject.columns, request.calibrated, threads) +
                    2 * triangle);
    }
    held += of_input;
  }
  return held + most;
}

/// Tells how far a run is: by the weights of the layers.
class TextProgress {
 public:
  TextProgress(const TextRequest& request, const calibrate::MatrixMap& map, Observer& observer)
      : network_(request.network), map_(map), observer_(observer) {
    for (std::uint64_t layer = 0; layer < network_.layers(); ++layer) {
      progress_.input_bytes += bytes_of_layer(layer);
    }
  }

  void skip(std::uint64_t layers) {
    for (std::uint64_t i = 0; i < layers; ++i) progress_.input_bytes_done += bytes_of_layer(i);
    progress_.input_bytes_skipped = progress_.input_bytes_done;
  }

  void finished(const model::Input& input) {
    progress_.input_bytes_done =
        std::min(progress_.input_bytes, progress_.input_bytes_done + bytes_of_input(input));
    for (const std::string& name : input.tensors) {
      if (const auto tensor = map_.find(name)) {
        progress_.weights_done += map_.rows(*tensor) * map_.columns(*tensor);
      }
    }
    progress_.elapsed_s = watch_.seconds();
    progress_.wait_cores_s = progress_.elapsed_s;
    observer_.progress(progress_);
  }

 private:
  std::uint64_t bytes_of_input(const model::Input& input) const {
    std::uint64_t bytes = 0;
    for (const std::string& name : input.tensors) {
      if (const auto tensor = map_.find(name)) {
        bytes += calibrate::stored_bytes(map_.bands({*tensor, 0}));
      }
    }
    return bytes;
  }

  std::uint64_t bytes_of_layer(std::uint64_t layer) const {
    std::uint64_t bytes = 0;
    for (const auto& together : network_.inputs_of(layer)) {
      for (const model::Input& input : together) {
        // Of experts the first stands for all; heads are told one by one.
        const bool one_for_all = input.tensors.front().find("_exps.") != std::string::npos;
        bytes += (one_for_all ? input.matrices : 1) * bytes_of_input(input);
      }
    }
    return bytes;
  }

  const model::Network& network_;
  const calibrate::MatrixMap& map_;
  Observer& observer_;
  Stopwatch watch_;
  Progress progress_;
};

/// Measures the tensors of a request.
class TextMeasuring {
 public:
  TextMeasuring(const TextRequest& request, Observer& observer)
      : request_(request),
        settings_(request.request.settings),
        observer_(observer),
        map_(request.request.model) {
    found_.binding = binding();
    if (!request.request.file.empty()) {
      if (auto kept = load(request.request.file, found_.binding)) found_ = std::move(*kept);
    }
    found_.method =
        fmt::format("by {} tokens of a text that the model was run on{}", request.text.ids.size(),
                    request.calibrated ? ", with error feedback" : "");
    subjects_.emplace(request, found_);
  }

  Measurements run() {
    if (subjects_->empty() || subjects_->all_in(found_)) return std::move(found_);
    tokens_.emplace(request_.text, subjects_->variants());
    const calibrate::WalkMemory least =
        calibrate::WalkMemory::least(request_.network, tokens_->all(), map_, settings_.threads);
    const calibrate::WalkMemory memory = least.within(request_.request.memory, beside());
    const auto source = io::open_uncached_source(request_.request.model.files);
    calibrate::ModelWeights weights(request_.request.model, *source,
                                    {.isa = settings_.isa,
                                     .threads = settings_.threads,
                                     .memory = memory.weights,
                                     .stop = settings_.stop});
    engine::TbbTeam team(settings_.threads, settings_.stop);
    const std::unique_ptr<calibrate::Walk> walk = begin_walk(weights, team, memory.layer);
    TextProgress progress(request_, map_, observer_);
    progress.skip(walk->done());
    LayerVariants layers({request_, *subjects_, *tokens_, weights, team, found_,
                          [&](const model::Input& input) { progress.finished(input); }});
    walk->run(layers);
    OutputVariants output({request_, *subjects_, *tokens_, weights, team, least.layer,
                           logits_bytes() + memory.layer - least.layer});
    output.measure(walk->stream(), found_);
    if (!request_.request.file.empty()) save(found_, request_.request.file);
    walk->end();
    return std::move(found_);
  }

 private:
  std::uint64_t binding() const {
    const std::string text = fmt::format(
        "{} {} {:x} {} {} {} {}", kTextMethod, name(settings_.effort), request_.request.inputs,
        settings_.via_bf16, request_.calibrated, request_.text.sequence_length,
        XXH3_64bits(request_.text.ids.data(),
                    request_.text.ids.size() * sizeof(request_.text.ids.front())));
    return XXH3_64bits(text.data(), text.size());
  }

  std::uint64_t logits_bytes() const {
    return OutputVariants::least_logits_bytes(*subjects_, request_.network);
  }

  std::uint64_t beside() const {
    std::uint64_t most = 0;
    for (std::uint64_t layer = 0; layer < request_.network.layers(); ++layer) {
      for (const auto& together : request_.network.inputs_of(layer)) {
        most = std::max(
            most, bytes_of(together, subjects_->of_layer(layer), request_, tokens_->sample()));
      }
    }
    const std::uint64_t output =
        logits_bytes() + (subjects_->output()
                              ? bytes_of({{.tensors = {subjects_->output()->name}}},
                                         {*subjects_->output()}, request_, tokens_->sample())
                              : 0);
    return request_.request.held + bytes_of_preparations(request_.request) + kAround +
           std::max(most, output);
  }

  std::unique_ptr<calibrate::Walk> begin_walk(calibrate::ModelWeights& weights, Team& team,
                                              std::uint64_t layer_memory) {
    // Of variants, too: what is measured anew may be in other types.
    const calibrate::WalkSettings settings{.isa = settings_.isa,
                                           .layer_memory = layer_memory,
                                           .layers = request_.network.layers(),
                                           .state = request_.state,
                                           .binding = found_.binding + subjects_->variants(),
                                           .stop = settings_.stop};
    const auto open = [&] {
      return std::make_unique<calibrate::Walk>(request_.network, tokens_->all(), weights, team,
                                               settings);
    };
    std::unique_ptr<calibrate::Walk> walk;
    try {
      walk = open();
      if (!subjects_->all_in(found_, walk->done())) {
        walk->end();
        walk = open();
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::resume_refused) throw;
      observer_.note(
          fmt::format("{} is of another run: measuring begins anew", visible(request_.state)));
      std::filesystem::remove(request_.state);
      walk = open();
    }
    walk->begin();
    return walk;
  }

  const TextRequest& request_;
  const EncoderSettings& settings_;
  Observer& observer_;
  const calibrate::MatrixMap map_;
  Measurements found_;
  std::optional<TextSubjects> subjects_;
  std::optional<VariantTokens> tokens_;
};

}  // namespace

Measurements measure_text(const TextRequest& request, Observer& observer) {
  Measurements found;
  Thread thread([&] { found = TextMeasuring(request, observer).run(); });
  thread.join();
  return found;
}

}  // namespace sluice::measure
