#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "io/source.h"
#include "weights/stored.h"

// Weights are read in bands: so many whole rows of a stored tensor, one range of bytes. A band is cut
// so that what it holds of each tensor are whole rows of that, next to one another: heads of rotary
// pairs, groups of interleaved rows and slices of experts stay together. Only a transposed matrix
// lies across: a band of it holds some columns of all of the tensor's rows.

namespace sluice::weights {

/// What no tensor is made of is read all the same if it is less than this between the rows or heads
/// of one that is: a read of its own would take longer.
inline constexpr std::uint64_t kReadThrough = std::uint64_t{64} << 10;

/// A tensor whose weights are wanted, and how its bands may be cut.
struct Wanted {
  const Source* source = nullptr;  ///< outlives the bands
  /// Of the tensor that is made; where its type stores several rows together, they are one here.
  std::uint64_t row_elements = 1;
  std::uint64_t row_bytes = 0;  ///< what becomes of a row and shares memory with the band
  /// So many columns of a row can be worked on apart from the others; 0: rows must be whole.
  std::uint64_t column_block = 0;
};

/// What a band holds of a tensor: rows [first_row, first_row + rows), of these the columns
/// [first_column, first_column + columns). Weight (row, column) in their order is the stored one at
/// first + sum of index times stride over the axes, last index fastest.
struct Piece {
  std::uint32_t wanted = 0;  ///< index of the tensor in the list that was given
  std::uint64_t first_row = 0;
  std::uint64_t rows = 0;
  std::uint64_t first_column = 0;
  std::uint64_t columns = 0;
  std::uint64_t first = 0;
  std::vector<Axis> axes;

  std::uint64_t elements() const { return rows * columns; }
  /// The weights lie in the band in the tensor's order, without gaps.
  bool in_order() const;
};

/// The columns of a transposed matrix come in several bands.
struct Matrix {
  std::uint64_t number = 0;  ///< counts the matrices that a cursor met
  std::uint64_t bands = 1;   ///< how many bands it has
  bool first = false;        ///< this is the first of them
};

/// What is read at once.
struct Band {
  static constexpr std::size_t kNone = ~std::size_t{0};

  std::size_t stored = kNone;  ///< which of Weights::stored; kNone: of `values`, nothing is read
  std::uint64_t first_element = 0;  ///< of the stored tensor
  io::ReadRange range{};            ///< its bytes
  std::uint64_t elements = 0;
  std::optional<io::ReadRange> scales;  ///< the factors of these weights, whole ones
  std::uint64_t first_scale = 0;        ///< index of the first of them
  std::vector<Piece> pieces;
  std::optional<Matrix> matrix;  ///< the pieces are columns of it
};

struct Use;
class StoredBands;

/// Walks through all bands in the order in which they lie in the files, computing each when it is
/// asked for. What no wanted tensor is made of is left out; what several are made of is read once.
class BandCursor {
 public:
  /// \param weights, wanted  outlive the cursor
  /// \param most_bytes  of a band and what becomes of it, unless what must stay together has more.
  ///                    What becomes of a matrix's columns does not count: `matrix_bytes` has it
  BandCursor(const Weights& weights, std::span<const Wanted> wanted, std::uint64_t most_bytes);
  ~BandCursor();

  std::optional<Band> next();

  /// Bytes of the largest band, and of what becomes of it, that cannot be made smaller.
  static std::uint64_t smallest_bytes(const Weights& weights, std::span<const Wanted> wanted);

  /// Bytes that all bands have together, without factors.
  static std::uint64_t total_bytes(const Weights& weights, std::span<const Wanted> wanted);

  /// What must be held at once of results that come in columns: the most that the rows of all
  /// tensors that share a transposed matrix have together, of `row_bytes` each.
  static std::uint64_t matrix_bytes(const Weights& weights, std::span<const Wanted> wanted);

 private:
  const Weights& weights_;
  const std::span<const Wanted> wanted_;
  const std::uint64_t most_bytes_;
  std::size_t next_wanted_ = 0;  // whose values come next
  std::vector<Use> uses_;        // in the order of the files
  std::size_t next_use_ = 0;
  std::unique_ptr<StoredBands> bands_;  // of the stored tensor that is walked through
  std::uint64_t matrices_ = 0;          // in those before

  std::optional<Band> next_values();
};

/// The bands that hold given rows of one tensor, which are whole: for those who look at some of it.
/// Each has one piece, of the tensor 0; they follow one another in the tensor. A band goes from the
/// first to the last stored row that has any of these weights, so one of a transposed matrix is all
/// of it.
std::vector<Band> bands_of_rows(const Weights& weights, const Wanted& wanted,
                                std::uint64_t first_row, std::uint64_t rows);

}  // namespace sluice::weights
