#include "calibrate/shrinkage.h"

#include <cmath>

namespace sluice::calibrate {
namespace {

// to += factor * from
void add_scaled(const linear::Triangle& from, float factor, linear::Triangle& to) {
  for (std::size_t b = 0; b < to.panels(); ++b) {
    const linear::Matrix sum = to.panel(b);
    const linear::ConstMatrix more = from.panel(b);
    for (std::size_t r = 0; r < sum.rows; ++r) {
      for (std::size_t c = 0; c < sum.columns; ++c) {
        sum.row(r)[c] = std::fma(factor, more.row(r)[c], sum.row(r)[c]);
      }
    }
  }
}

float quotient(std::uint64_t a, std::uint64_t b) {
  return static_cast<float>(static_cast<double>(a) / static_cast<double>(b));
}

}  // namespace

void shrink_towards(const linear::Moments& many, linear::Moments& few) {
  const std::uint64_t columns = few.sum.size();
  add_scaled(many.sum, quotient(columns, many.tokens), few.sum);
  few.tokens += columns;
}

void shrink_towards_diagonal(linear::Moments& few) {
  const float share = quotient(few.tokens, few.sum.size() + few.tokens);
  std::vector<float> diagonal;
  for (std::size_t i = 0; i < few.sum.size(); ++i) diagonal.push_back(few.sum.diagonal(i));
  for (std::size_t b = 0; b < few.sum.panels(); ++b) {
    const linear::Matrix panel = few.sum.panel(b);
    for (std::size_t r = 0; r < panel.rows; ++r) {
      for (std::size_t c = 0; c < panel.columns; ++c) panel.row(r)[c] *= share;
    }
  }
  for (std::size_t i = 0; i < diagonal.size(); ++i) few.sum.diagonal(i) = diagonal[i];
}

linear::Moments copy_of(const linear::Moments& moments) {
  linear::Moments copy(moments.sum.size());
  add_scaled(moments.sum, 1, copy.sum);
  copy.tokens = moments.tokens;
  return copy;
}

}  // namespace sluice::calibrate
