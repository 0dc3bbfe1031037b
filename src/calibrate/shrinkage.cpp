#include "calibrate/shrinkage.h"

#include <vector>

namespace sluice::calibrate {
namespace {

// Of large inputs the panels are many megabytes, and an expert has two of them to shrink.
template <typename Function>
void for_panels(const linear::Triangle& triangle, Team& team, const Function& of) {
  team.run(triangle.panels(), [&](std::size_t panel, int) { of(panel); });
}

// to += factor * from
void add_scaled(const linear::Triangle& from, float factor, linear::Triangle& to, Team& team) {
  for_panels(to, team, [&](std::size_t b) {
    const linear::Matrix sum = to.panel(b);
    const linear::ConstMatrix more = from.panel(b);
    for (std::size_t r = 0; r < sum.rows; ++r) {
      for (std::size_t c = 0; c < sum.columns; ++c) sum.row(r)[c] += factor * more.row(r)[c];
    }
  });
}

float quotient(std::uint64_t a, std::uint64_t b) {
  return static_cast<float>(static_cast<double>(a) / static_cast<double>(b));
}

}  // namespace

void shrink_towards(const linear::Moments& many, linear::Moments& few, Team& team) {
  const std::uint64_t columns = few.sum.size();
  add_scaled(many.sum, quotient(columns, many.tokens), few.sum, team);
  few.tokens += columns;
}

void shrink_towards_diagonal(linear::Moments& few, Team& team) {
  const float share = quotient(few.tokens, few.sum.size() + few.tokens);
  std::vector<float> diagonal;
  for (std::size_t i = 0; i < few.sum.size(); ++i) diagonal.push_back(few.sum.diagonal(i));
  for_panels(few.sum, team, [&](std::size_t b) {
    const linear::Matrix panel = few.sum.panel(b);
    for (std::size_t r = 0; r < panel.rows; ++r) {
      for (std::size_t c = 0; c < panel.columns; ++c) panel.row(r)[c] *= share;
    }
  });
  for (std::size_t i = 0; i < diagonal.size(); ++i) few.sum.diagonal(i) = diagonal[i];
}

void shrink_towards(const linear::Lacks& many, linear::Lacks& few) {
  const std::uint64_t columns = few.columns;
  const float share = quotient(columns, many.tokens);
  for (std::size_t i = 0; i < few.sum.size(); ++i) few.sum[i] += share * many.sum[i];
  few.tokens += columns;
}

void shrink_towards_nothing(linear::Lacks& few) {
  few.tokens += few.columns;
}

linear::Moments copy_of(const linear::Moments& moments, Team& team) {
  linear::Moments copy(moments.sum.size());
  add_scaled(moments.sum, 1, copy.sum, team);
  copy.tokens = moments.tokens;
  return copy;
}

}  // namespace sluice::calibrate
