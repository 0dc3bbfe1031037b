#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

#include "base/team.h"
#include "linear/kernels.h"
#include "linear/matrix.h"

namespace sluice::linear {

/// Numbers that start on a cache line, not initialized.
class Scratch {
 public:
  explicit Scratch(std::size_t numbers)
      : numbers_(static_cast<float*>(::operator new(numbers * sizeof(float), kLine))) {}

  float* data() const { return numbers_.get(); }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Release {
    void operator()(float* numbers) const { ::operator delete(numbers, kLine); }
  };
  std::unique_ptr<float, Release> numbers_;
};

/// One for each thread.
std::vector<Scratch> scratches(const Team& team, std::size_t numbers);

/// A block of a product has at most so many columns: those of its columns that are summed at once
/// stay in the second cache.
inline constexpr std::size_t kBlockColumns = 512;

/// How many numbers add_block needs for so many columns, and so deep sums.
std::size_t block_scratch(const Kernels& kernels, std::size_t columns, std::size_t depth);

/// out += a b^T by one thread, over `depth` in ascending order.
/// \param out  at most kBlockColumns columns
void add_block(const Kernels& kernels, const Operand& a, const Operand& b, std::size_t depth,
               const Matrix& out, float* scratch);

}  // namespace sluice::linear
