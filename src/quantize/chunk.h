#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/interval_set.h"
#include "engine/work.h"
#include "quantize/factor_window.h"
#include "quantize/matrix_buffer.h"
#include "weights/bands.h"

namespace sluice {

/// A band of the plan's tensors on its way, and what it needs there.
struct Chunk final : engine::Details {
  weights::Band band;
  /// Where the rows of each of its pieces belong, with the zeros that follow.
  std::vector<Interval> outputs;
  std::uint64_t factor_bytes = 0;  ///< of the stored tensor, whose first band this is

  std::shared_ptr<const FactorWindow> window;  ///< has the
  std::span<const std::byte> factors;          ///< factors of the band
  std::shared_ptr<MatrixBuffer> matrix;        ///< if the pieces are columns of a matrix
};

}  // namespace sluice
