#pragma once

#include <cstddef>

namespace sluice::linear {

/// Rows of numbers in memory; row r begins at data + r * stride.
struct Matrix {
  float* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;

  float* row(std::size_t r) const { return data + r * stride; }
};

/// The same, to be read only.
struct ConstMatrix {
  const float* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;

  ConstMatrix() = default;
  ConstMatrix(const float* d, std::size_t r, std::size_t c, std::size_t s)
      : data(d), rows(r), columns(c), stride(s) {}
  ConstMatrix(const Matrix& m)  // NOLINT: what can be written can be read
      : data(m.data), rows(m.rows), columns(m.columns), stride(m.stride) {}

  const float* row(std::size_t r) const { return data + r * stride; }
};

/// A matrix whose rows are made when they are asked for: weights as files hold them.
class Rows {
 public:
  virtual ~Rows() = default;
  virtual std::size_t rows() const = 0;
  virtual std::size_t columns() const = 0;
  /// Writes rows [first, first + count) to `out` [count, columns]. Any number of threads at once.
  virtual void decode(std::size_t first, std::size_t count, float* out) const = 0;
};

}  // namespace sluice::linear
