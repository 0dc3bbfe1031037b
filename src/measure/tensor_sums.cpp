#include "measure/tensor_sums.h"

#include <algorithm>

namespace sluice::measure {

void TensorSums::add(const RowSums& sums, double share) {
  row_powers_.resize(std::max(row_powers_.size(), sums.powers.size()));
  double power = 0;
  for (std::size_t i = 0; i < sums.powers.size(); ++i) {
    power += sums.powers[i];
    row_powers_[i] += share * sums.powers[i];
  }
  if (sums.powers.empty()) return;
  const double weight = share * rows_ / static_cast<double>(sums.powers.size());
  shares_ += share;
  power_ += weight * power;
  for (const auto& [type, error] : sums.errors) errors_[type] += weight * error;
}

void TensorSums::scale_to(double shares) {
  const double scale = shares_ > 0 ? shares / shares_ : 1;
  power_ *= scale;
  for (auto& [type, error] : errors_) error *= scale;
  for (double& power : row_powers_) power *= scale;
  shares_ = shares;
}

void TensorSums::put_into(TensorMeasures& measures) const {
  measures.power = power_;
  for (const auto& [type, error] : errors_) measures.errors[type] = error;
  if (row_powers_.empty()) return;
  std::vector<double> powers = row_powers_;
  const auto middle = powers.begin() + static_cast<std::ptrdiff_t>(powers.size() / 2);
  std::ranges::nth_element(powers, middle);
  measures.typical_power = rows_ * *middle;
}

}  // namespace sluice::measure
