#include "calibrate/input_sums.h"

namespace sluice::calibrate {

InputSums::InputSums(std::size_t columns, bool second_moments, std::uint64_t paired_length) {
  if (second_moments) {
    moments_.emplace(columns);
  } else {
    squares_.resize(columns);
  }
  if (paired_length == 0) return;
  pairs_.emplace(columns, paired_length);
  if (second_moments) lacks_.emplace(columns);
}

void InputSums::add(const linear::ConstMatrix& x, const model::TokenRows& which, Isa isa,
                    Team& team) {
  if (!pairs_) return add(x, isa, team);
  pairs_->add(x, which, [&](const linear::ConstMatrix& lacking, const linear::ConstMatrix& had) {
    sum_pairs(lacking, had, isa, team);
  });
}

void InputSums::finish(Isa isa, Team& team) {
  if (!pairs_) return;
  pairs_->finish([&](const linear::ConstMatrix& lacking, const linear::ConstMatrix& had) {
    sum_pairs(lacking, had, isa, team);
  });
  pairs_.reset();
}

void InputSums::sum_pairs(const linear::ConstMatrix& lacking, const linear::ConstMatrix& had,
                          Isa isa, Team& team) {
  add(had, isa, team);
  if (lacks_) lacks_->add(lacking, had, isa, team);
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
