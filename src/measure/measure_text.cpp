#include "measure/measure_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/clocks.h"
#include "base/text.h"
#include "base/thread.h"
#include "calibrate/input_load.h"
#include "calibrate/matrix_map.h"
#include "calibrate/model_weights.h"
#include "calibrate/walk.h"
#include "engine/team.h"
#include "io/source.h"
#include "measure/layer_variants.h"
#include "measure/output_variants.h"
#include "measure/text_setup.h"
#include "sluice/error.h"

namespace sluice::measure {
namespace {

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
        const bool one_for_all = calibrate::is_of_experts(input.tensors.front());
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
        setup_(request),
        subjects_(setup_.subjects()),
        tokens_(setup_.tokens()),
        found_(setup_.known()) {}

  Measurements run() {
    if (setup_.has_all()) return std::move(found_);
    const TextSetup::Memory memory = setup_.memory();
    const auto source = io::open_uncached_source(request_.request.model.files);
    calibrate::ModelWeights weights(request_.request.model, *source,
                                    {.isa = settings_.isa,
                                     .threads = settings_.threads,
                                     .memory = memory.walk.weights,
                                     .stop = settings_.stop});
    engine::TbbTeam team(settings_.threads, settings_.stop);
    const std::unique_ptr<calibrate::Walk> walk = begin_walk(weights, team, memory.walk.layer);
    TextProgress progress(request_, setup_.map(), observer_);
    progress.skip(walk->done());
    LayerVariants layers({request_, subjects_, tokens_, weights, team, found_,
                          [&](const model::Input& input) { progress.finished(input); }});
    walk->run(layers);
    OutputVariants output(
        {request_, subjects_, tokens_, weights, team, memory.output_layer, memory.logits});
    output.measure(walk->stream(), found_);
    if (!request_.request.file.empty()) save(found_, request_.request.file);
    walk->end();
    return std::move(found_);
  }

 private:
  std::unique_ptr<calibrate::Walk> begin_walk(calibrate::ModelWeights& weights, Team& team,
                                              std::uint64_t layer_memory) {
    // Of variants, too: what is measured anew may be in other types.
    const calibrate::WalkSettings settings{.isa = settings_.isa,
                                           .layer_memory = layer_memory,
                                           .layers = request_.network.layers(),
                                           .state = request_.state,
                                           .binding = found_.binding + subjects_.variants(),
                                           .stop = settings_.stop};
    const auto open = [&] {
      return std::make_unique<calibrate::Walk>(request_.network, tokens_.all(), weights, team,
                                               settings);
    };
    std::unique_ptr<calibrate::Walk> walk;
    try {
      walk = open();
      if (!subjects_.all_in(found_, walk->done())) {
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
  const TextSetup setup_;
  const TextSubjects& subjects_;
  const VariantTokens& tokens_;
  Measurements found_;
};

}  // namespace

Measurements measure_text(const TextRequest& request, Observer& observer) {
  Measurements found;
  Thread thread([&] { found = TextMeasuring(request, observer).run(); });
  thread.join();
  return found;
}

}  // namespace sluice::measure
