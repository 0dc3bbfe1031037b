#include "calibrate/calibration_time.h"

#include <cmath>
#include <optional>
#include <string>

#include "calibrate/input_load.h"
#include "calibrate/layers_to_run.h"
#include "calibrate/matrix_map.h"
#include "calibrate/rates.h"

namespace sluice::calibrate {
namespace {

/// Adds up what a run does, tensor by tensor and input by input.
class TimeSum {
 public:
  TimeSum(const CalibratedModel& calibrated, const Plan& plan, std::span<const std::uint64_t> left,
          Effort effort, Isa isa, int cores)
      : calibrated_(calibrated),
        plan_(plan),
        left_(left),
        map_(calibrated.source),
        rates_(effort, isa, cores),
        experts_(share_of_experts(calibrated.source.header)),
        tokens_(static_cast<double>(calibrated.tokens.ids.size())) {}

  CalibrationTime take() {
    const LayersToRun layers =
        layers_to_run(calibrated_, [&](std::uint32_t tensor) { return left_[tensor] == 0; });
    // The state of a run that was cut off is that after the last layer that it made.
    const std::uint64_t begin = layers.made > layers.first ? layers.made : 0;
    for (std::uint64_t layer = begin; layer < layers.needed; ++layer) {
      for (const auto& together : calibrated_.network.inputs_of(layer)) {
        for (const model::Input& input : together) {
          // Of the output, the input alone is of interest.
          if (layer < calibrated_.network.layers()) add_products(input);
          add_encoding(input);
        }
      }
      if (layer < calibrated_.network.layers()) add_reading(layer);
    }
    const double delay = rates_.delay();
    for (double* part : {&time_.forward, &time_.moments, &time_.factors, &time_.feedback}) {
      *part *= delay;
    }
    return time_;
  }

 private:
  /// The tensor in the plan, where something of it is to be made in its layer.
  std::optional<std::uint32_t> due(const std::string& name) const {
    const auto tensor = calibrated_.index.find(name);
    const bool is_due =
        tensor && calibrated_.plan.treatments[*tensor] != Treatment::none && left_[*tensor] > 0;
    return is_due ? tensor : std::nullopt;
  }

  void add_products(const model::Input& input) {
    const double streams = calibrated_.refit ? 3 : 1;  // the second's products are made twice
    const InputLoad load(input, experts_);
    for (const std::string& name : input.tensors) {
      const auto tensor = map_.find(name);
      if (!tensor) continue;
      const double weights =
          load.matrices * static_cast<double>(map_.rows(*tensor) * map_.columns(*tensor));
      time_.forward += 2 * streams * weights * tokens_ * load.share * rates_.operation();
    }
  }

  void add_reading(std::uint64_t layer) {
    for (const std::string& name : calibrated_.network.tensors_of(layer)) {
      const auto tensor = map_.find(name);
      if (!tensor || due(name)) continue;
      for (std::uint64_t number = 0; number < map_.matrices(*tensor); ++number) {
        time_.read_besides += stored_bytes(map_.bands({*tensor, number}));
      }
    }
  }

  void add_encoding(const model::Input& input) {
    const InputLoad load(input, experts_);
    bool feedback = false;
    double columns = 0;
    for (const std::string& name : input.tensors) {
      const auto tensor = due(name);
      if (!tensor) continue;
      columns = static_cast<double>(plan_.tensors[*tensor].row_elements());
      if (calibrated_.plan.treatments[*tensor] != Treatment::feedback) continue;
      feedback = true;
      add_feedback(*tensor, columns, load.matrices / static_cast<double>(input.matrices));
    }
    if (columns == 0 || !calibrated_.plan.inputs.at(input.tensors.front()).moments) return;
    const double sums = calibrated_.refit ? 3 : 1;
    time_.moments +=
        sums * columns * columns * tokens_ * load.share * load.matrices * rates_.operation();
    if (feedback) time_.factors += load.matrices * std::pow(columns, 3) / 3 * rates_.operation();
  }

  // Of a part of the tensor's matrices.
  void add_feedback(std::uint32_t tensor, double columns, double part) {
    const double fit = calibrated_.refit ? 4 * columns * rates_.operation() : 0;
    time_.feedback += part * static_cast<double>(left_[tensor]) *
                      (rates_.feedback(plan_.tensors[tensor].type, columns) + fit);
  }

  const CalibratedModel& calibrated_;
  const Plan& plan_;
  const std::span<const std::uint64_t> left_;
  const MatrixMap map_;
  Rates rates_;
  const double experts_;  // of all, those that a token meets
  const double tokens_;
  CalibrationTime time_;
};

}  // namespace

CalibrationTime estimate(const CalibratedModel& calibrated, const Plan& plan,
                         std::span<const std::uint64_t> left, Effort effort, Isa isa, int cores) {
  return TimeSum(calibrated, plan, left, effort, isa, cores).take();
}

}  // namespace sluice::calibrate
