#include <algorithm>

#include "linear/moments.h"

namespace sluice::linear {
namespace {

/// Numbers of the panels before panel b. They have whole rows, those of the last one too.
std::size_t panel_start(std::size_t b) {
  return Triangle::kPanel * Triangle::kPanel * (b * (b + 1) / 2);
}

std::size_t numbers_of(std::size_t n) {
  const std::size_t last = n / Triangle::kPanel;
  return panel_start(last) + (n % Triangle::kPanel != 0 ? n * Triangle::kPanel : 0);
}

}  // namespace

Triangle::Triangle(std::size_t n) : n_(n), numbers_(bytes(n)) {}

std::uint64_t Triangle::bytes(std::size_t n) {
  return numbers_of(n) * sizeof(float);
}

Matrix Triangle::panel(std::size_t b) {
  float* const numbers = reinterpret_cast<float*>(numbers_.bytes().data());
  return {numbers + panel_start(b), std::min(n_, (b + 1) * kPanel),
          std::min(kPanel, n_ - b * kPanel), kPanel};
}

ConstMatrix Triangle::panel(std::size_t b) const {
  return const_cast<Triangle*>(this)->panel(b);  // NOLINT: what comes out is const again
}

float& Triangle::diagonal(std::size_t i) {
  return panel(i / kPanel).row(i)[i % kPanel];
}

float Triangle::diagonal(std::size_t i) const {
  return panel(i / kPanel).row(i)[i % kPanel];
}

}  // namespace sluice::linear
