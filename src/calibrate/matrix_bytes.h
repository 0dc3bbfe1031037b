#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/page_buffer.h"
#include "weights/bands.h"

namespace sluice::calibrate {

/// One of the matrices that a tensor of the model has.
struct MatrixId {
  std::size_t tensor = 0;  ///< index in the model
  std::uint64_t number = 0;

  friend bool operator==(const MatrixId&, const MatrixId&) = default;
  friend bool operator<(const MatrixId& a, const MatrixId& b) {
    return std::pair(a.tensor, a.number) < std::pair(b.tensor, b.number);
  }
};

/// Bytes of a file that are in memory.
using HeldBytes = std::shared_ptr<const PageBuffer>;

/// What a matrix is made of, as the files have it.
struct MatrixBytes {
  std::vector<weights::Band> bands;  ///< as weights::bands_of_rows() gives them
  std::vector<HeldBytes> codes;      ///< of each band; null: nothing is read
  std::vector<HeldBytes> scales;     ///< of each band; null: it has none
};

/// Bytes that bands have in the files.
std::uint64_t stored_bytes(std::span<const weights::Band> bands);

}  // namespace sluice::calibrate
