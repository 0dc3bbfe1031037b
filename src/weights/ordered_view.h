#pragma once

#include <cstdint>

#include "weights/bands.h"
#include "weights/box.h"
#include "weights/stored_unit.h"

namespace sluice::weights {

/// Whole rows of a tensor, part of a view that begins with the tensor's row `first_row`.
Piece piece_of(Part&& part, std::uint32_t index, const Wanted& wanted, std::uint64_t first_row);

/// A view of a wanted tensor as a row of atoms, which lie one behind the other in the stored tensor
/// as in the tensor that is made. Within an atom the order differs, as in a head of rotary pairs or
/// a transposed matrix, unless it is a single element. Positions are elements of the stored tensor;
/// those that are cuts are multiples of the unit.
class OrderedView {
 public:
  /// \param first_row  of the tensor, that the view begins with
  OrderedView(const View& view, const Wanted& wanted, std::uint32_t index, std::uint64_t first_row,
              const StoredUnit& unit);

  const Wanted& wanted() const { return *wanted_; }
  const Box& box() const { return box_; }

  /// Whether steps of the first axis lie one behind the other.
  bool is_ordered() const { return ordered_axes_ > 0; }

  std::uint64_t atoms() const { return atoms_; }
  /// Atoms that begin before a position.
  std::uint64_t atoms_before(std::uint64_t position) const;
  std::uint64_t begin_of(std::uint64_t atom) const;
  /// Rows that so many atoms are.
  std::uint64_t rows_of(std::uint64_t atoms) const;

  /// The first position from `position` on, and the last until it, where the view may be cut: what
  /// lies before are all weights of whole rows.
  std::uint64_t cut_from(std::uint64_t position) const;
  std::uint64_t cut_until(std::uint64_t position) const;

  /// Where what is read on end from `position` ends: there, if the view has nothing there.
  std::uint64_t covered_from(std::uint64_t position) const;
  /// From `position`, a cut, until where units are cuts, each with as many rows.
  std::uint64_t even_from(std::uint64_t position) const;

  /// An atom without the axes that order them.
  Box atom(std::uint64_t index) const;
  /// Appends what the atoms [begin, end) are of the tensor.
  void add_pieces(std::uint64_t begin, std::uint64_t end, std::vector<Piece>& pieces) const;
  /// Appends the columns [begin, end) of an atom that is a transposed matrix.
  void add_columns(std::uint64_t atom_index, std::uint64_t begin, std::uint64_t end,
                   std::vector<Piece>& pieces) const;

 private:
  const Wanted* wanted_;
  std::uint32_t index_;
  std::uint64_t first_row_;
  StoredUnit unit_;
  Box box_;
  std::size_t ordered_axes_ = 0;  // the leading ones
  std::uint64_t atoms_ = 1;
  std::uint64_t atom_elements_ = 1;
  std::uint64_t atom_extent_ = 1;
  std::uint64_t atoms_of_rows_ = 1;  // the least that are whole rows
  // Atoms that are read on end, with the gaps between them.
  std::uint64_t run_atoms_ = 1;
  std::uint64_t run_extent_ = 1;
  bool even_ = false;  // units are cuts wherever they are

  void measure_runs();
};

}  // namespace sluice::weights
