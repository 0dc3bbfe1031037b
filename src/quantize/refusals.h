#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "io/file.h"
#include "plan/plan.h"
#include "weights/decode.h"

namespace sluice {

/// Rows of a piece, decoded.
struct Strip {
  const Plan& plan;
  const weights::BandBytes& bytes;
  const weights::Piece& piece;
  std::uint64_t first_row;        ///< counted from the piece's first
  std::span<const float> values;  ///< [rows, piece.columns]

  const PlannedTensor& tensor() const { return plan.tensors[piece.wanted]; }
  std::uint64_t rows() const { return values.size() / piece.columns; }
};

/// \throws Error (input_value) for the first weight of a strip that is NaN or infinite: where it is
///         in the tensor and in the file, or where its factor is, if that is what is wrong
[[noreturn]] void refuse_values(const Strip& strip, std::span<const io::File> files);

/// \param row  of the strip
/// \throws Error (output_damaged)
[[noreturn]] void refuse_encoding(const Strip& strip, std::uint64_t row, const std::string& what);

}  // namespace sluice
