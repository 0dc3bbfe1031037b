#include "calibrate/shrinkage.h"

#include <algorithm>
#include <cmath>

namespace sluice::calibrate {

void add_scaled(const linear::Triangle& other, float factor, linear::Triangle& sum) {
  for (std::size_t b = 0; b < sum.panels(); ++b) {
    const linear::Matrix to = sum.panel(b);
    const linear::ConstMatrix from = other.panel(b);
    for (std::size_t r = 0; r < to.rows; ++r) {
      for (std::size_t c = 0; c < to.columns; ++c) {
        to.row(r)[c] = std::fma(factor, from.row(r)[c], to.row(r)[c]);
      }
    }
  }
}

void draw_towards(const linear::Moments& prior, linear::Moments& moments) {
  if (prior.tokens == 0) return;
  const double wanted = kPriorTokensPerColumn * static_cast<double>(moments.sum.size());
  const auto tokens =
      static_cast<std::uint64_t>(std::min(std::ceil(wanted), static_cast<double>(prior.tokens)));
  const double share = static_cast<double>(tokens) / static_cast<double>(prior.tokens);
  add_scaled(prior.sum, static_cast<float>(share), moments.sum);
  moments.tokens += tokens;
}

}  // namespace sluice::calibrate
