#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "sluice/codec.h"
#include "weights/bands.h"
#include "weights/stored.h"

namespace sluice::weights {

/// A band's bytes.
struct BandBytes {
  const Band& band;
  std::span<const std::byte> codes;   ///< of band.range
  std::span<const std::byte> scales;  ///< of band.scales; empty if there are none
};

/// Decodes rows [first_row, first_row + rows), counted from the piece's first, to
/// `out` [rows, piece.columns]: code times factor, then the change, in F32.
/// \param weights  with the stored tensor, or the values, that the band is of
/// \param source   that the piece is of
void decode_rows(const Weights& weights, const Source& source, const BandBytes& bytes,
                 const Piece& piece, std::uint64_t first_row, std::uint64_t rows, Isa isa,
                 float* out);

/// Moves rows of blocks of MXFP4 (a stored tensor of Coding::mxfp4) to GGUF's blocks of it, bit for
/// bit: [rows, piece.columns / 32] blocks of 17 bytes.
void move_mxfp4_rows(const Weights& weights, const BandBytes& bytes, const Piece& piece,
                     std::uint64_t first_row, std::uint64_t rows, std::byte* out);

}  // namespace sluice::weights
