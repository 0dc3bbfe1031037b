#include "calibrate/calibrated_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/text.h"
#include "base/thread.h"
#include "calibrate/layer_encoder.h"
#include "calibrate/layers_to_run.h"
#include "calibrate/monitored.h"
#include "calibrate/second_stream.h"
#include "calibrate/walk_state.h"
#include "calibrate/written_weights.h"
#include "engine/team.h"
#include "plan/input.h"
#include "sluice/amounts.h"

namespace sluice::calibrate {
namespace {

template <typename Function>
void for_treated(const CalibrationPlan& calibration, const Function& of) {
  for (std::uint32_t i = 0; i < calibration.treatments.size(); ++i) {
    if (calibration.treatments[i] != Treatment::none) of(i);
  }
}

}  // namespace

model::Tokens walked_tokens(const CalibratedModel& calibrated) {
  return calibrated.refit ? each_twice(calibrated.tokens) : calibrated.tokens;
}

Plan without_treated(const Plan& plan, const CalibrationPlan& calibration) {
  static const weights::Source kNothing;
  Plan rest = plan;
  for_treated(calibration, [&](std::uint32_t i) { rest.wanted[i].source = &kNothing; });
  measure_bands(rest);
  return rest;
}

std::uint64_t treated_input(const Plan& plan, const CalibrationPlan& calibration) {
  std::uint64_t bytes = 0;
  for_treated(calibration, [&](std::uint32_t i) { bytes += plan.tensors[i].input_size; });
  return bytes;
}

std::uint64_t treated_input_done(const Plan& plan, const CalibrationPlan& calibration,
                                 const IntervalSet& done) {
  std::uint64_t bytes = 0;
  for_treated(calibration, [&](std::uint32_t i) { bytes += input_done(plan, i, done); });
  return bytes;
}

void make_treated(const CalibratedModel& calibrated, const Plan& plan,
                  const EncoderSettings& settings, io::Source& source, engine::Monitor& monitor,
                  RowOutput& output, Observer& observer) {
  const model::Network& network = calibrated.network;
  const LayersToRun layers = layers_to_run(calibrated, [&](std::uint32_t tensor) {
    const PlannedTensor& planned = plan.tensors[tensor];
    return output.has({tensor, 0, planned.rows_per_expert() * planned.experts()});
  });
  if (layers.made == layers.needed) {
    WalkState(calibrated.state_file, calibrated.state_binding).remove();
    return;
  }
  engine::TbbTeam threads(settings.threads, settings.stop);
  MonitoredTeam team(threads, monitor);
  MonitoredSource monitored(source, monitor);
  ModelWeights weights(calibrated.source, monitored,
                       {.isa = settings.isa,
                        .threads = settings.threads,
                        .memory = calibrated.memory.weights,
                        .stop = settings.stop});
  WrittenWeights quantized(plan, calibrated.index, calibrated.plan, output, weights, settings.isa);
  output.settle();
  const model::Tokens tokens = walked_tokens(calibrated);
  const WalkSettings walk_settings{.isa = settings.isa,
                                   .layer_memory = calibrated.memory.layer,
                                   .layers = layers.needed,
                                   .state = calibrated.state_file,
                                   .binding = calibrated.state_binding,
                                   .quantized = calibrated.refit ? &quantized : nullptr,
                                   .stop = settings.stop};
  std::optional<Walk> walk;
  walk.emplace(network, tokens, weights, team, walk_settings);
  // What was made of layers before is gone, as far as the journal knows.
  if (walk->done() > layers.made) {
    walk->end();
    walk.emplace(network, tokens, weights, team, walk_settings);
  }
  if (walk->done() < layers.made && layers.first < layers.made) {
    observer.note(fmt::format("{} is not of the last layer that was made: {} are run once more",
                              visible(calibrated.state_file),
                              counted(layers.made - walk->done(), "layer")));
  }
  LayerEncoder encoder({plan, calibrated.index, calibrated.plan, weights, output, settings, team,
                        calibrated.refit ? tokens.sequence_length : 0});
  Thread runner([&] { walk->run(encoder); });
  runner.join();
  walk->end();
  if (encoder.scarce_experts() > 0) {
    observer.note(
        fmt::format("{} of {} inputs of experts met fewer tokens than they have columns: what they "
                    "lack is taken "
                    "from the tokens of their layer",
                    encoder.scarce_experts(), encoder.experts()));
  }
}

}  // namespace sluice::calibrate
