#include "calibrate/calibration_time.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "base/clocks.h"
#include "base/page_buffer.h"
#include "base/serial_team.h"
#include "calibrate/feedback_settings.h"
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

}  // namespace

CalibrationSeconds estimate(const CalibratedModel& calibrated, const gguf::Header& model,
                            const Plan& plan, std::span<const std::uint64_t> left, Effort effort,
                            Isa isa, int cores) {
  const double operation = 1 / (product_rate(isa) * cores);
  const double experts = share_of_experts(model);
  const auto tokens = static_cast<double>(calibrated.tokens.ids.size());
  const int passes = 1 + feedback_settings(TensorType::iq1_m, effort, isa).sweeps;
  std::map<TensorType, double> measured;
  CalibrationSeconds seconds;
  const auto add_tensor = [&](std::uint32_t index, double share) {
    const PlannedTensor& tensor = plan.tensors[index];
    const auto columns = static_cast<double>(tensor.row_elements());
    const double streams = calibrated.refit ? 3 : 1;  // the second's products are made twice
    seconds.forward +=
        2 * streams * static_cast<double>(tensor.elements()) * tokens * share * operation;
    if (calibrated.plan.treatments[index] != Treatment::feedback) return;
    const auto [entry, is_new] = measured.try_emplace(tensor.type);
    if (is_new) entry->second = feedback_seconds(tensor.type, effort, isa) / cores;
    const double more = 2 * passes * (columns - static_cast<double>(kMeasuredColumns)) * operation;
    const double fit = calibrated.refit ? 4 * columns * operation : 0;
    seconds.feedback +=
        static_cast<double>(left[index]) * (std::max(0.0, entry->second + more) + fit);
  };
  const auto add_input = [&](const model::Input& input) {
    bool feedback = false;
    double columns = 0;
    const double share = input.matrices > 1 ? experts : 1;
    for (const std::string& name : input.tensors) {
      const auto tensor = calibrated.index.find(name);
      if (!tensor) continue;
      add_tensor(*tensor, share);
      feedback |= calibrated.plan.treatments[*tensor] == Treatment::feedback && left[*tensor] > 0;
      columns = static_cast<double>(plan.tensors[*tensor].row_elements());
    }
    if (!feedback) return;
    const auto matrices = static_cast<double>(input.matrices);
    const double sums = calibrated.refit ? 3 : 1;
    seconds.moments += sums * columns * columns * tokens * share * matrices * operation;
    seconds.factors += matrices * std::pow(columns, 3) / 3 * operation;
  };
  for (std::uint64_t layer = 0; layer <= calibrated.network.layers(); ++layer) {
    for (const auto& together : calibrated.network.inputs_of(layer)) {
      for (const model::Input& input : together) add_input(input);
    }
  }
  return seconds;
}

}  // namespace sluice::calibrate
