#include "calibrate/input_sums.h"

namespace sluice::calibrate {

InputSums::InputSums(std::size_t columns, bool second_moments) {
  if (second_moments) {
    moments_.emplace(columns);
  } else {
    squares_.resize(columns);
  }
}

void InputSums::add(const linear::ConstMatrix& x, Isa isa, Team& team) {
  tokens_ += x.rows;
  if (moments_) return moments_->add(x, isa, team);
  for (std::size_t t = 0; t < x.rows; ++t) {
    const float* const row = x.row(t);
    for (std::size_t i = 0; i < squares_.size(); ++i) {
      squares_[i] += static_cast<double>(row[i]) * static_cast<double>(row[i]);
    }
  }
}

std::vector<float> InputSums::importance() const {
  std::vector<float> means;
  if (tokens_ == 0) return means;
  const std::size_t columns = moments_ ? moments_->sum.size() : squares_.size();
  const auto tokens = static_cast<double>(tokens_);
  for (std::size_t i = 0; i < columns; ++i) {
    const double sum = moments_ ? static_cast<double>(moments_->sum.diagonal(i)) : squares_[i];
    means.push_back(static_cast<float>(sum / tokens));
  }
  return means;
}

}  // namespace sluice::calibrate
