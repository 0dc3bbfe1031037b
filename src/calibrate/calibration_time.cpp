#include "calibrate/calibration_time.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/clocks.h"
#include "base/page_buffer.h"
#include "base/serial_team.h"
#include "calibrate/feedback_settings.h"
#include "calibrate/layers_to_run.h"
#include "calibrate/matrix_map.h"
#include "feedback/feedback.h"
#include "linear/products.h"

namespace sluice::calibrate {
namespace {

std::vector<float> made_up(std::size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

/// Multiplications and additions a second of one thread.
double product_rate(Isa isa) {
  constexpr std::size_t kSize = 512;
  const std::vector<float> a = made_up(kSize * kSize);
  std::vector<float> out(kSize * kSize);
  const linear::ConstMatrix matrix(a.data(), kSize, kSize, kSize);
  SerialTeam team;
  const Stopwatch watch;
  linear::multiply(matrix, matrix, {out.data(), kSize, kSize, kSize}, isa, team);
  return 2.0 * kSize * kSize * kSize / watch.seconds();
}

/// The factor of inputs that have nothing to do with one another.
linear::Factor unrelated(std::size_t columns) {
  constexpr std::size_t kPanel = linear::Triangle::kPanel;
  linear::Factor factor{linear::Triangle(columns), std::vector<float>(columns * kPanel)};
  for (std::size_t i = 0; i < columns; ++i) {
    factor.u.diagonal(i) = 1;
    factor.local[i * kPanel + i % kPanel] = 1;
  }
  return factor;
}

constexpr std::size_t kMeasuredColumns = 512;

/// Seconds a weight of one thread, for rows of kMeasuredColumns.
double feedback_seconds(TensorType type, Effort effort, Isa isa) {
  const linear::Factor factor = unrelated(kMeasuredColumns);
  const std::size_t count = feedback::kRowsAtOnce * kMeasuredColumns;
  const std::vector<float> values = made_up(count);
  const PageBuffer scratch(feedback::scratch_bytes(kMeasuredColumns));
  std::vector<std::byte> out(byte_size(type, count, kMeasuredColumns));
  const Stopwatch watch;
  feedback::encode_rows({values.data(), feedback::kRowsAtOnce, kMeasuredColumns, kMeasuredColumns},
                        factor, feedback_settings(type, effort, isa), scratch.bytes().data(),
                        out.data());
  return watch.seconds() / static_cast<double>(count);
}

double share_of_experts(const gguf::Header& model) {
  const gguf::Value* const name = model.find("general.architecture");
  const std::string prefix =
      std::string(name == nullptr ? "" : name->as_string().value_or("")) + ".";
  const auto number = [&](const std::string& key) {
    const gguf::Value* const value = model.find(prefix + key);
    return value == nullptr ? 0.0 : static_cast<double>(value->as_uint().value_or(0));
  };
  const double all = number("expert_count");
  return all > 0 ? number("expert_used_count") / all : 1;
}

/// Adds up what a run does, tensor by tensor and input by input.
class TimeSum {
 public:
  TimeSum(const CalibratedModel& calibrated, const Plan& plan, std::span<const std::uint64_t> left,
          Effort effort, Isa isa, int cores)
      : calibrated_(calibrated),
        plan_(plan),
        left_(left),
        effort_(effort),
        isa_(isa),
        cores_(cores),
        map_(calibrated.source),
        operation_(1 / (product_rate(isa) * cores)),
        experts_(share_of_experts(calibrated.source.header)),
        tokens_(static_cast<double>(calibrated.tokens.ids.size())),
        passes_(1 + feedback_settings(TensorType::iq1_m, effort, isa).sweeps) {}

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

  double share_of(const model::Input& input) const { return input.matrices > 1 ? experts_ : 1; }

  void add_products(const model::Input& input) {
    const double streams = calibrated_.refit ? 3 : 1;  // the second's products are made twice
    for (const std::string& name : input.tensors) {
      const auto tensor = map_.find(name);
      if (!tensor) continue;
      const auto weights = static_cast<double>(map_.tensor(*tensor).elements());
      time_.forward += 2 * streams * weights * tokens_ * share_of(input) * operation_;
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
    bool feedback = false;
    double columns = 0;
    for (const std::string& name : input.tensors) {
      const auto tensor = due(name);
      if (!tensor) continue;
      columns = static_cast<double>(plan_.tensors[*tensor].row_elements());
      if (calibrated_.plan.treatments[*tensor] != Treatment::feedback) continue;
      feedback = true;
      add_feedback(*tensor, columns);
    }
    if (columns == 0 || !calibrated_.plan.inputs.at(input.tensors.front()).moments) return;
    const auto matrices = static_cast<double>(input.matrices);
    const double sums = calibrated_.refit ? 3 : 1;
    time_.moments += sums * columns * columns * tokens_ * share_of(input) * matrices * operation_;
    if (feedback) time_.factors += matrices * std::pow(columns, 3) / 3 * operation_;
  }

  void add_feedback(std::uint32_t tensor, double columns) {
    const TensorType type = plan_.tensors[tensor].type;
    const auto [entry, is_new] = measured_.try_emplace(type);
    if (is_new) entry->second = feedback_seconds(type, effort_, isa_) / cores_;
    const double more =
        2 * passes_ * (columns - static_cast<double>(kMeasuredColumns)) * operation_;
    const double fit = calibrated_.refit ? 4 * columns * operation_ : 0;
    time_.feedback +=
        static_cast<double>(left_[tensor]) * (std::max(0.0, entry->second + more) + fit);
  }

  const CalibratedModel& calibrated_;
  const Plan& plan_;
  const std::span<const std::uint64_t> left_;
  const Effort effort_;
  const Isa isa_;
  const int cores_;
  const MatrixMap map_;
  const double operation_;  // seconds
  const double experts_;    // of all, those that a token meets
  const double tokens_;
  const int passes_;
  std::map<TensorType, double> measured_;
  CalibrationTime time_;
};

}  // namespace

CalibrationTime estimate(const CalibratedModel& calibrated, const Plan& plan,
                         std::span<const std::uint64_t> left, Effort effort, Isa isa, int cores) {
  return TimeSum(calibrated, plan, left, effort, isa, cores).take();
}

}  // namespace sluice::calibrate
