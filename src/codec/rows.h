#pragma once

#include <cstddef>
#include <cstring>

#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// Encodes rows block by block: encode(values, importance) makes one, of Block::kWeights weights;
/// `importance` is null where none is known.
template <typename Block, typename Encode>
void encode_blocks(const EncodeRows& rows, std::byte* out, const Encode& encode) noexcept {
  const float* values = rows.values;
  for (std::size_t row = 0; row < rows.rows; ++row) {
    for (std::size_t i = 0; i < rows.row_elements; i += Block::kWeights) {
      const Block block =
          encode(values, rows.importance == nullptr ? nullptr : rows.importance + i);
      std::memcpy(out, &block, sizeof block);
      values += Block::kWeights;
      out += sizeof block;
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
