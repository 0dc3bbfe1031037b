#include "rows.h"

#include <bit>
#include <cstdint>
#include <random>

namespace sluice::bench {
namespace {

Rows make_rows() {
  std::mt19937_64 random(1);
  std::student_t_distribution<float> heavy(5);
  std::lognormal_distribution<float> log_normal(0, 1);
  std::lognormal_distribution<float> row_size(-4, 0.3f);
  Rows rows;
  for (std::size_t row = 0; row < Rows::kRows; ++row) {
    const float size = row_size(random);
    for (std::size_t column = 0; column < Rows::kRowElements; ++column) {
      const auto bits = std::bit_cast<std::uint32_t>(size * heavy(random));
      rows.values.push_back(std::bit_cast<float>(bits & 0xffff0000u));
    }
  }
  for (std::size_t column = 0; column < Rows::kRowElements; ++column) {
    rows.importance.push_back(log_normal(random));
  }
  return rows;
}

}  // namespace

const Rows& rows() {
  static const Rows rows = make_rows();
  return rows;
}

}  // namespace sluice::bench
