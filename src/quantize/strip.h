#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "io/file.h"
#include "plan/plan.h"
#include "sluice/codec.h"
#include "weights/decode.h"

namespace sluice {

/// Rows of a piece, decoded. A piece's row may be several of the tensor's, which are stored together.
struct Strip {
  const Plan& plan;
  const weights::BandBytes& bytes;
  const weights::Piece& piece;
  std::uint64_t first_row;        ///< of the piece
  std::span<const float> values;  ///< [rows, columns]

  const PlannedTensor& tensor() const { return plan.tensors[piece.wanted]; }
  /// Of the tensor's in a row of the piece.
  std::uint64_t joint_rows() const { return info(tensor().type).rows; }
  /// Of the tensor.
  std::uint64_t columns() const { return piece.columns / joint_rows(); }
  std::uint64_t rows() const { return values.size() / columns(); }
};

/// \throws Error (input_value) for the first weight of a strip that is NaN or infinite: where it is
///         in the tensor and in the file, or where its factor is, if that is what is wrong
[[noreturn]] void refuse_values(const Strip& strip, std::span<const io::File> files);

/// Checks encoded rows while their source is at hand: what becomes of them on the disk is for the
/// tensor's checksum to tell.
/// \param decoded     what `blocks` decode to
/// \param importance  of the strip's columns; empty: none is known
/// \throws Error (output_damaged)
void check_encoding(const Strip& strip, std::span<const float> decoded,
                    std::span<const float> importance, const std::byte* blocks, Isa isa);

}  // namespace sluice
