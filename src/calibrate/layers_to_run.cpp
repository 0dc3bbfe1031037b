#include "calibrate/layers_to_run.h"

#include <string>

namespace sluice::calibrate {
namespace {

/// Whether all matrices of a layer, or of the output as the layer after the last, are such.
template <typename Predicate>
bool all_of_layer(const CalibratedModel& calibrated, std::uint64_t layer,
                  const Predicate& is_such) {
  for (const auto& together : calibrated.network.inputs_of(layer)) {
    for (const model::Input& input : together) {
      for (const std::string& name : input.tensors) {
        const auto tensor = calibrated.index.find(name);
        if (tensor && !is_such(*tensor)) return false;
      }
    }
  }
  return true;
}

}  // namespace

LayersToRun layers_to_run(const CalibratedModel& calibrated,
                          const std::function<bool(std::uint32_t tensor)>& is_made) {
  const auto is_untreated = [&](std::uint32_t tensor) {
    return calibrated.plan.treatments[tensor] == Treatment::none;
  };
  const auto is_done = [&](std::uint32_t tensor) {
    return is_untreated(tensor) || is_made(tensor);
  };
  LayersToRun layers{.needed = calibrated.network.layers() + 1};
  while (layers.needed > 0 && all_of_layer(calibrated, layers.needed - 1, is_untreated)) {
    --layers.needed;
  }
  const auto while_all = [&](std::uint64_t& layer, const auto& are_such) {
    while (layer < layers.needed && all_of_layer(calibrated, layer, are_such)) ++layer;
  };
  while_all(layers.first, is_untreated);
  while_all(layers.made, is_done);
  return layers;
}

}  // namespace sluice::calibrate
