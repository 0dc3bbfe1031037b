#pragma once

#include <cstdint>
#include <vector>

#include "base/page_buffer.h"
#include "base/team.h"
#include "linear/matrix.h"
#include "sluice/codec.h"

namespace sluice::linear {

/// A symmetric matrix [n, n] of which the upper triangle is kept, in panels of kPanel columns: panel b
/// has rows [0, min(n, (b + 1) * kPanel)) of columns [b * kPanel, (b + 1) * kPanel), row by row.
class Triangle {
 public:
  static constexpr std::size_t kPanel = 256;

  /// All zeros.
  explicit Triangle(std::size_t n);

  static std::uint64_t bytes(std::size_t n);

  std::size_t size() const { return n_; }
  std::size_t panels() const { return (n_ + kPanel - 1) / kPanel; }
  Matrix panel(std::size_t b);
  ConstMatrix panel(std::size_t b) const;
  float& diagonal(std::size_t i);
  float diagonal(std::size_t i) const;

 private:
  std::size_t n_;
  PageBuffer numbers_;
};

/// Second moments of inputs: the sum of x x^T over tokens, and how many they are.
struct Moments {
  Triangle sum;
  std::uint64_t tokens = 0;

  explicit Moments(std::size_t n) : sum(n) {}

  /// Adds the tokens x [tokens, n], one after the other.
  void add(const ConstMatrix& x, Isa isa, Team& team);
};

/// H = U diag(D) U^T with U unit upper triangular: in these terms tr(E H E^T) is the sum over rows of
/// (E U)^2 D. So what rounding weights column by column should aim at is w + (errors so far) U, and
/// D is what a column's own error costs (LDLQ: Chee et al., QuIP, 2023; the same as GPTQ's).
struct Factor {
  Triangle u;                ///< strictly above the diagonal; its diagonal holds D
  std::vector<float> local;  ///< H itself, [n / kPanel, kPanel, kPanel]: its blocks on the diagonal
                             ///< (the last may have fewer rows and columns, with the same stride)

  /// Factors the mean moments in place. Without tokens, or if all that came is zero, H is the identity.
  /// \param moments  given up; finite
  /// \param damping  so much of the mean diagonal is added to the diagonal
  /// Where a pivot would be no more than rounding leaves, it is what was added to the diagonal (or a
  /// millionth of the mean diagonal, if that is more), and U has zeros above it: D is always finite
  /// and positive.
  static Factor of(Moments&& moments, float damping, Isa isa, Team& team);

  /// Rows [any, n] become rows H^-1, by one thread.
  /// \param scratch  divide_scratch() numbers
  void divide(const Matrix& rows, Isa isa, float* scratch) const;
  static std::uint64_t divide_scratch(std::size_t rows);
};

/// What one kind of inputs lacks of another: the sum of (wanted - had) had^T over tokens [n, n].
/// Products W x of wanted inputs are fitted best by W + W L H^-1 times those that were had, L being the mean
/// of this and H that of their second moments; what is added to H's diagonal pulls towards W.
struct Lacks {
  std::size_t columns;     ///< n
  std::vector<float> sum;  ///< [n, n]
  std::uint64_t tokens = 0;

  explicit Lacks(std::size_t n) : columns(n), sum(n * n) {}

  static std::uint64_t bytes(std::size_t n) { return n * n * sizeof(float); }

  /// Adds tokens, one after the other.
  /// \param lacking  wanted - had [tokens, n]
  void add(const ConstMatrix& lacking, const ConstMatrix& had, Isa isa, Team& team);

  /// Fits rows of W, by one thread.
  /// \param fitted   as many rows
  /// \param scratch  Factor::divide_scratch() numbers
  void fit(const ConstMatrix& w, const Factor& factor, const Matrix& fitted, Isa isa,
           float* scratch) const;
};

}  // namespace sluice::linear
