#include "api/error_totals.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>

namespace sluice {
namespace {

constexpr std::size_t kWorstTensors = 10;

std::uint64_t weights_of(const std::vector<std::uint64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

double ratio(double error, double power) {
  return power > 0 ? error / power : error > 0 ? std::numeric_limits<double>::infinity() : 0.0;
}

/// Names by error.
class Worst {
 public:
  void add(double error, std::string_view name) { all_.emplace_back(error, name); }

  /// Those of the largest errors, of equal ones the first.
  std::vector<std::string> names() {
    std::ranges::stable_sort(all_, std::greater<>(), &Entry::first);
    all_.resize(std::min(kWorstTensors, all_.size()));
    std::vector<std::string> names;
    for (const Entry& entry : all_) names.emplace_back(entry.second);
    return names;
  }

 private:
  using Entry = std::pair<double, std::string_view>;
  std::vector<Entry> all_;
};

}  // namespace

void sum_errors(RunReport& report) {
  TotalError total;
  double weighted_power = 0;
  double plain_power = 0;
  Worst worst;
  for (const TensorReport& tensor : report.tensors) {
    if (tensor.source == tensor.type) continue;
    total.weights += weights_of(tensor.shape);
    if (std::isnan(tensor.weighted_error)) continue;
    total.measured_weights += weights_of(tensor.shape);
    total.weighted += tensor.weighted_error * tensor.weighted_power;
    total.plain += tensor.plain_error * tensor.plain_power;
    weighted_power += tensor.weighted_power;
    plain_power += tensor.plain_power;
    worst.add(tensor.weighted_error, tensor.name);
  }
  if (total.measured_weights == 0) return;
  total.weighted = ratio(total.weighted, weighted_power);
  total.plain = ratio(total.plain, plain_power);
  report.total_error = total;
  report.worst = worst.names();
}

void sum_errors(Comparison& comparison) {
  TotalError total{.weighted = std::numeric_limits<double>::quiet_NaN()};
  double power = 0;
  Worst worst;
  for (const ComparedTensor& tensor : comparison.tensors) {
    if (!tensor.a || tensor.differing_bytes == std::uint64_t{0}) continue;
    total.weights += weights_of(tensor.a->shape);
    if (!tensor.difference) continue;
    total.measured_weights += weights_of(tensor.a->shape);
    total.plain += tensor.difference->squared_error;
    power += tensor.difference->power;
    worst.add(tensor.difference->error, tensor.name);
  }
  if (total.measured_weights == 0) return;
  total.plain = ratio(total.plain, power);
  comparison.total_error = total;
  comparison.worst = worst.names();
}

}  // namespace sluice
