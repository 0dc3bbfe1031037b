#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "sluice/tensor_type.h"

namespace sluice {

/// Decodes `elements` weights (a multiple of the type's block) from `blocks` to `out`. Exact: each
/// value has the bits that the format defines. Blocks may hold anything; a scale of NaN gives NaN.
using DecodeFunction = void (*)(const std::byte* blocks, float* out, std::size_t elements) noexcept;

/// The rows that an encoder turns into blocks.
struct EncodeRows {
  const float* values;       ///< [rows, row_elements], finite
  std::size_t rows;          ///< number of rows
  std::size_t row_elements;  ///< weights in a row, a multiple of the type's block
  /// [row_elements] importance of each column, finite and not negative; the same for all rows.
  /// Null: no importance is known.
  const float* importance;
};

/// Encodes whole rows to `out`, which holds rows * row_bytes. Deterministic: the same bytes for the
/// same input, whatever the instruction set. Cannot fail: for every finite input the decoded blocks
/// are finite, zeros decode to zeros, and the error is never larger than that of coding zeros.
using EncodeFunction = void (*)(const EncodeRows& rows, std::byte* out) noexcept;

/// One row of the codec table.
struct Codec {
  TensorType type;
  DecodeFunction decode;  ///< null for types that are only copied
  EncodeFunction encode;  ///< null for types that are only read
};

/// The table's entry for a type, or null if it has none.
const Codec* find_codec(TensorType type) noexcept;

/// All entries.
std::span<const Codec> codecs() noexcept;

}  // namespace sluice
