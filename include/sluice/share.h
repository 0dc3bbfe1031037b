#pragma once

#include <cstdint>

#pragma GCC visibility push(default)

namespace sluice {

/// Which part of a split output a run makes, where several make it on as many machines: each some of
/// the files, which follow one another. The files are shared out so that no part has more bytes to
/// read and write than it must.
struct ShareOptions {
  std::uint32_t number = 0;  ///< from 1 to `count`
  std::uint32_t count = 0;   ///< of parts; 0: one run makes all

  bool any() const { return count > 0; }
};

/// What one part is.
struct ShareView {
  std::uint64_t first_file = 0;    ///< index of its first file in the output's
  std::uint64_t files = 0;         ///< 0: there are more parts than files
  std::uint64_t input_bytes = 0;   ///< of the tensors in its files
  std::uint64_t output_bytes = 0;  ///< of its files
};

}  // namespace sluice

#pragma GCC visibility pop
