#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "linear/matrix.h"

namespace sluice {

/// A matrix in memory of its own, with a stride beyond its columns.
struct OwnedMatrix {
  OwnedMatrix(std::size_t rows, std::size_t columns)
      : numbers(rows * (columns + 3)), matrix{numbers.data(), rows, columns, columns + 3} {}
  OwnedMatrix(const OwnedMatrix& other) : numbers(other.numbers), matrix(other.matrix) {
    matrix.data = numbers.data();
  }
  OwnedMatrix& operator=(const OwnedMatrix&) = delete;

  std::vector<float> numbers;
  linear::Matrix matrix;
};

/// Normal numbers, fixed by the seed.
inline OwnedMatrix random_matrix(std::size_t rows, std::size_t columns, std::uint32_t seed) {
  OwnedMatrix made(rows, columns);
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  for (float& number : made.numbers) number = normal(generator);
  return made;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace sluice
