#include "measure/divergences.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "linear/functions.h"

namespace sluice::measure {
namespace {

// The C library's differs between machines. x = m 2^e; log m is a series in (m - 1) / (m + 1), which is
// at most 0.172.
double logarithm(double x) noexcept {
  constexpr double kLog2 = 0.693147180559945309417232;
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 0.70710678118654752) {
    m *= 2;
    --exponent;
  }
  const double z = (m - 1) / (m + 1);
  double sum = 0;
  for (int power = 21; power > 0; power -= 2) sum = sum * z * z + 1.0 / power;
  return exponent * kLog2 + 2 * z * sum;
}

/// A token's probabilities.
class Probabilities {
 public:
  Probabilities(const float* logits, std::size_t n, Isa isa)
      : logits_(logits),
        isa_(isa),
        shares_(logits, logits + n),
        likeliest_(static_cast<std::size_t>(std::max_element(logits, logits + n) - logits)) {
    linear::softmax(shares_.data(), n, nullptr, isa);
  }

  // log(p / q) = d - c, where d is the difference of the logits, and c the same for all: what it is for the
  // likeliest tells it. So the difference of all logits by one number cancels exactly.
  double divergence_of(const float* others) const {
    const std::size_t n = shares_.size();
    std::vector<float> q(others, others + n);
    linear::softmax(q.data(), n, nullptr, isa_);
    const double of_likeliest = difference(others, likeliest_);
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      sum += static_cast<double>(shares_[i]) * (difference(others, i) - of_likeliest);
    }
    // What is all but impossible must not become infinite.
    constexpr double kLeast = 1e-30;
    sum += logarithm(static_cast<double>(shares_[likeliest_]) /
                     std::max(kLeast, static_cast<double>(q[likeliest_])));
    return std::max(0.0, sum);
  }

 private:
  double difference(const float* others, std::size_t i) const {
    return static_cast<double>(logits_[i]) - static_cast<double>(others[i]);
  }

  const float* logits_;
  Isa isa_;
  std::vector<float> shares_;
  std::size_t likeliest_;
};

}  // namespace

void add_divergences(const linear::ConstMatrix& p, std::span<const linear::ConstMatrix> qs, Isa isa,
                     Team& team, std::span<double> sums) {
  std::vector<double> each(p.rows * qs.size());
  team.run(p.rows, [&](std::size_t row, int) {
    const Probabilities own(p.row(row), p.columns, isa);
    for (std::size_t i = 0; i < qs.size(); ++i) {
      each[row * qs.size() + i] = own.divergence_of(qs[i].row(row));
    }
  });
  for (std::size_t i = 0; i < each.size(); ++i) sums[i % qs.size()] += each[i];
}

}  // namespace sluice::measure
