#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "io/file.h"
#include "plan/plan.h"
#include "sluice/codec.h"
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

/// Checks encoded rows while their source is at hand: what becomes of them on the disk is for the
/// tensor's checksum to tell.
/// \param decoded     what `blocks` decode to
/// \param importance  of the strip's columns; empty: none is known
/// \throws Error (output_damaged)
void check_encoding(const Strip& strip, std::span<const float> decoded,
                    std::span<const float> importance, const std::byte* blocks, Isa isa);

}  // namespace sluice
