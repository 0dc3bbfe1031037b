#pragma once

#include <cstdint>
#include <span>

#include "weights/bands.h"

namespace sluice::weights {

/// A view of a wanted tensor.
struct Use {
  std::size_t stored = 0;
  std::uint32_t wanted = 0;  ///< index of the tensor in the list
  std::uint32_t view = 0;    ///< index in its source
  std::uint64_t first_row = 0;
};

/// What a band has a whole number of: the rows of a stored tensor, or the blocks of one whose bytes
/// are only moved.
struct StoredUnit {
  std::uint64_t elements = 1;
  std::uint64_t bytes = 1;

  std::uint64_t bytes_of(std::uint64_t stored_elements) const {
    return stored_elements / elements * bytes;
  }
};

/// \param uses  of the stored tensor
StoredUnit unit_of(const Stored& stored, std::span<const Wanted> wanted, std::span<const Use> uses);

/// The range of elements [begin, end), whole units, with the factors that belong to them.
Band band_of(const Stored& stored, std::size_t index, const StoredUnit& unit, std::uint64_t begin,
             std::uint64_t end);

}  // namespace sluice::weights
