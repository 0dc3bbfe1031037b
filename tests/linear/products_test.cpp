// Products against sums in double, and bit against bit: each number is one chain of fused
// multiply-adds in the order of what is summed over.

#include "linear/products.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "random_matrix.h"
#include "simd/lanes.h"
#include "support/thread_team.h"

namespace sluice {
namespace {

using linear::ConstMatrix;
using linear::Matrix;

struct Shape {
  std::size_t m, n, k;
};
const std::vector<Shape> kShapes = {{1, 1, 1},    {3, 5, 7},      {14, 32, 16}, {29, 70, 300},
                                    {64, 513, 9}, {257, 33, 513}, {2, 40, 0}};

std::vector<float> numbers_of(const Matrix& m) {
  std::vector<float> all;
  for (std::size_t r = 0; r < m.rows; ++r) all.insert(all.end(), m.row(r), m.row(r) + m.columns);
  return all;
}

/// The chain, one number after the other.
std::vector<float> chains(const ConstMatrix& a, const ConstMatrix& b, const Matrix& start) {
  std::vector<float> all;
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < b.rows; ++j) {
      float sum = start.data == nullptr ? 0.0f : start.row(i)[j];
      for (std::size_t k = 0; k < a.columns; ++k) sum = std::fma(a.row(i)[k], b.row(j)[k], sum);
      all.push_back(sum);
    }
  }
  return all;
}

/// A matrix with rows and columns changed.
OwnedMatrix turned(const ConstMatrix& m) {
  OwnedMatrix made(m.columns, m.rows);
  for (std::size_t r = 0; r < m.rows; ++r) {
    for (std::size_t c = 0; c < m.columns; ++c) made.matrix.row(c)[r] = m.row(r)[c];
  }
  return made;
}

class MadeRows final : public linear::Rows {
 public:
  explicit MadeRows(const ConstMatrix& m) : m_(m) {}
  std::size_t rows() const override { return m_.rows; }
  std::size_t columns() const override { return m_.columns; }
  void decode(std::size_t first, std::size_t count, float* out) const override {
    for (std::size_t r = first; r < first + count; ++r, out += m_.columns) {
      std::memcpy(out, m_.row(r), m_.columns * sizeof(float));
    }
  }

 private:
  ConstMatrix m_;
};

TEST(Products, AreNearTheSumsInDouble) {
  ThreadTeam team;
  for (const auto [m, n, k] : kShapes) {
    const OwnedMatrix a = random_matrix(m, k, 1);
    const OwnedMatrix b = random_matrix(n, k, 2);
    const OwnedMatrix out = random_matrix(m, n, 3);
    multiply(a.matrix, ConstMatrix(b.matrix), out.matrix, best_isa(), team);
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double sum = 0;
        double magnitude = 0;
        for (std::size_t p = 0; p < k; ++p) {
          const double product = double{a.matrix.row(i)[p]} * b.matrix.row(j)[p];
          sum += product;
          magnitude += std::abs(product);
        }
        const double bound = magnitude * static_cast<double>(k) * 0x1p-24;
        ASSERT_NEAR(out.matrix.row(i)[j], sum, bound) << m << ' ' << n << ' ' << k;
      }
    }
  }
}

TEST(Products, AreChainsOfFusedMultiplyAddsOnEachInstructionSet) {
  for (const Isa isa : supported_isas()) {
    for (const int threads : {1, 3}) {
      ThreadTeam team(threads);
      for (const auto [m, n, k] : kShapes) {
        const OwnedMatrix a = random_matrix(m, k, 1);
        const OwnedMatrix b = random_matrix(n, k, 2);
        const OwnedMatrix out = random_matrix(m, n, 3);
        multiply(a.matrix, ConstMatrix(b.matrix), out.matrix, isa, team);
        ASSERT_TRUE(same_bits(numbers_of(out.matrix), chains(a.matrix, b.matrix, {}))) << name(isa);
        const OwnedMatrix made = random_matrix(m, n, 4);
        multiply(a.matrix, MadeRows(b.matrix), made.matrix, isa, team);
        ASSERT_TRUE(same_bits(numbers_of(made.matrix), numbers_of(out.matrix))) << name(isa);
        const std::vector<float> expected = chains(a.matrix, b.matrix, out.matrix);
        add_product(a.matrix, turned(b.matrix).matrix, out.matrix, isa, team);
        ASSERT_TRUE(same_bits(numbers_of(out.matrix), expected)) << name(isa);
      }
    }
  }
}

TEST(Products, LeaveWhatIsBesideTheResult) {
  ThreadTeam team;
  for (const Isa isa : supported_isas()) {
    const OwnedMatrix a = random_matrix(15, 40, 1);
    const OwnedMatrix b = random_matrix(33, 40, 2);
    OwnedMatrix out = random_matrix(15, 33, 3);
    const OwnedMatrix before = out;
    multiply(a.matrix, ConstMatrix(b.matrix), out.matrix, isa, team);
    for (std::size_t i = 0; i < out.numbers.size(); ++i) {
      const bool beside = i % 36 >= 33;
      ASSERT_EQ(out.numbers[i] == before.numbers[i], beside) << i;
    }
  }
}

// The control: another order, or a product rounded by itself, would be seen.
TEST(Products, OfAnotherOrderHaveOtherBits) {
  const OwnedMatrix a = random_matrix(8, 300, 1);
  const OwnedMatrix b = random_matrix(8, 300, 2);
  std::vector<float> backwards;
  std::vector<float> rounded_twice;
  for (std::size_t i = 0; i < 8; ++i) {
    for (std::size_t j = 0; j < 8; ++j) {
      float sum = 0;
      float twice = 0;
      for (std::size_t k = 300; k-- > 0;)
        sum = std::fma(a.matrix.row(i)[k], b.matrix.row(j)[k], sum);
      for (std::size_t k = 0; k < 300; ++k) twice += a.matrix.row(i)[k] * b.matrix.row(j)[k];
      backwards.push_back(sum);
      rounded_twice.push_back(twice);
    }
  }
  const std::vector<float> expected = chains(a.matrix, b.matrix, {});
  EXPECT_FALSE(same_bits(backwards, expected));
  EXPECT_FALSE(same_bits(rounded_twice, expected));
}

// Any bits of the three numbers, and such that a sum in double is a tie of floats, or nearly.
TEST(FusedMultiplyAdd, RoundsOnceWithoutTheInstruction) {
  std::mt19937 generator(7);
  const auto any = [&] { return std::bit_cast<float>(static_cast<std::uint32_t>(generator())); };
  const auto near_one = [&] {
    return 1.0f +
           static_cast<float>(generator() % 4096) * 0x1p-23f * static_cast<float>(generator() % 3);
  };
  for (int i = 0; i < 300'000; ++i) {
    alignas(64) float a[16];
    alignas(64) float b[16];
    alignas(64) float c[16];
    for (std::size_t l = 0; l < 16; ++l) {
      const bool tie = i % 2 == 0;
      a[l] = tie ? near_one() : any();
      b[l] = tie ? near_one() : any();
      c[l] = tie ? std::ldexp(near_one(), static_cast<int>(generator() % 60) - 30) *
                       (generator() % 2 == 0 ? 1.0f : -1.0f)
                 : any();
    }
    using simd::Floats;
    float got[16];
    fused_multiply_add(Floats::load(a), Floats::load(b), Floats::load(c)).store(got);
    for (std::size_t l = 0; l < 16; ++l) {
      const float expected = std::fma(a[l], b[l], c[l]);
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(got[l]));
      } else {
        ASSERT_EQ(std::bit_cast<std::uint32_t>(got[l]), std::bit_cast<std::uint32_t>(expected))
            << a[l] << ' ' << b[l] << ' ' << c[l];
      }
    }
  }
}

}  // namespace
}  // namespace sluice
