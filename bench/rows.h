#pragma once

#include <cstddef>
#include <vector>

namespace sluice::bench {

/// Rows to encode. 512 KB: they stay in a core's cache, as the tiles of a quantization run do.
struct Rows {
  static constexpr std::size_t kRows = 32;
  static constexpr std::size_t kRowElements = 4096;
  static constexpr std::size_t kElements = kRows * kRowElements;

  std::vector<float> values;      ///< [kRows, kRowElements], exact in BF16
  std::vector<float> importance;  ///< [kRowElements]
};

/// The rows of all benchmarks, like those of a model: heavy-tailed (Student's t, 5 degrees of
/// freedom) and each row with a size of its own, importance log-normal. The same in every run.
const Rows& rows();

}  // namespace sluice::bench
