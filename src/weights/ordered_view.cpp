#include "weights/ordered_view.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/checked.h"

namespace sluice::weights {

Piece piece_of(Part&& part, std::uint32_t index, const Wanted& wanted, std::uint64_t first_row) {
  return {.wanted = index,
          .first_row = first_row + part.index / wanted.row_elements,
          .rows = part.box.elements() / wanted.row_elements,
          .first_column = 0,
          .columns = wanted.row_elements,
          .first = part.box.first,
          .axes = std::move(part.box.axes)};
}

OrderedView::OrderedView(const View& view, const Wanted& wanted, std::uint32_t index,
                         std::uint64_t first_row, const StoredUnit& unit)
    : wanted_(&wanted),
      index_(index),
      first_row_(first_row),
      unit_(unit),
      box_(merged({view.first, view.axes})) {
  Box rest = box_;
  while (!rest.axes.empty()) {
    if (ordered_axes_ > 0 && rest.elements() % wanted.row_elements != 0) break;
    const Axis axis = rest.axes.front();
    rest.axes.erase(rest.axes.begin());
    if (axis.stride < rest.extent()) {
      rest.axes.insert(rest.axes.begin(), axis);
      break;
    }
    atoms_ *= axis.count;
    ++ordered_axes_;
  }
  atom_elements_ = rest.elements();
  atom_extent_ = rest.extent();
  atoms_of_rows_ = wanted.row_elements / std::gcd(wanted.row_elements, atom_elements_);
  measure_runs();
}

void OrderedView::measure_runs() {
  run_extent_ = atom_extent_;
  bool whole = atom_elements_ == 1 && box_.axes.back().stride == 1 &&
               unit_.elements % wanted_->row_elements == 0 && box_.first % unit_.elements == 0;
  for (std::size_t i = 0; i + 1 < ordered_axes_; ++i) {
    whole = whole && box_.axes[i].stride % unit_.elements == 0;
  }
  even_ = whole;
  for (std::size_t i = ordered_axes_; i-- > 0;) {
    const Axis& axis = box_.axes[i];
    if (unit_.bytes_of(axis.stride - run_extent_) >= kReadThrough) break;
    run_atoms_ *= axis.count;
    run_extent_ += (axis.count - 1) * axis.stride;
  }
}

std::uint64_t OrderedView::atoms_before(std::uint64_t position) const {
  if (position <= box_.first) return 0;
  std::uint64_t rest = position - box_.first - 1;
  std::uint64_t before = 0;
  std::uint64_t inside = atoms_;
  for (std::size_t i = 0; i < ordered_axes_; ++i) {
    const Axis& axis = box_.axes[i];
    inside /= axis.count;
    const std::uint64_t steps = std::min(axis.count - 1, rest / axis.stride);
    before += steps * inside;
    rest -= steps * axis.stride;
  }
  return before + 1;
}

std::uint64_t OrderedView::begin_of(std::uint64_t atom) const {
  std::uint64_t position = box_.first;
  std::uint64_t inside = atoms_;
  for (std::size_t i = 0; i < ordered_axes_; ++i) {
    inside /= box_.axes[i].count;
    position += atom / inside * box_.axes[i].stride;
    atom %= inside;
  }
  return position;
}

std::uint64_t OrderedView::rows_of(std::uint64_t atoms) const {
  return atoms * atom_elements_ / wanted_->row_elements;
}

std::uint64_t OrderedView::cut_from(std::uint64_t position) const {
  for (;;) {
    const std::uint64_t before = align_up(atoms_before(position), atoms_of_rows_);
    if (before == 0) return position;
    const std::uint64_t end = align_up(begin_of(before - 1) + atom_extent_, unit_.elements);
    if (end <= position) return position;
    position = end;
  }
}

std::uint64_t OrderedView::cut_until(std::uint64_t position) const {
  for (;;) {
    const std::uint64_t before = atoms_before(position);
    if (before == 0) return position;
    if (before % atoms_of_rows_ == 0 && begin_of(before - 1) + atom_extent_ <= position) {
      return position;
    }
    position = align_down(begin_of(align_down(before - 1, atoms_of_rows_)), unit_.elements);
  }
}

std::uint64_t OrderedView::covered_from(std::uint64_t position) const {
  const std::uint64_t before = atoms_before(position + unit_.elements);
  if (before == 0) return position;
  const std::uint64_t end = begin_of(align_down(before - 1, run_atoms_)) + run_extent_;
  return std::max(position, align_up(end, unit_.elements));
}

std::uint64_t OrderedView::even_from(std::uint64_t position) const {
  const std::uint64_t before = atoms_before(position);
  if (before == atoms_) return ~std::uint64_t{0};
  const std::uint64_t begin = align_down(begin_of(before), unit_.elements);
  if (begin > position || !even_) return begin;
  const std::uint64_t run = box_.axes.back().count;
  return align_up(begin_of(align_down(before, run)) + run, unit_.elements);
}

Box OrderedView::atom(std::uint64_t index) const {
  Box result{begin_of(index), {}};
  result.axes.assign(box_.axes.begin() + static_cast<std::ptrdiff_t>(ordered_axes_),
                     box_.axes.end());
  return result;
}

void OrderedView::add_pieces(std::uint64_t begin, std::uint64_t end,
                             std::vector<Piece>& pieces) const {
  for (Part& part : parts_of(box_, begin * atom_elements_, end * atom_elements_)) {
    pieces.push_back(piece_of(std::move(part), index_, *wanted_, first_row_));
  }
}

void OrderedView::add_columns(std::uint64_t atom_index, std::uint64_t begin, std::uint64_t end,
                              std::vector<Piece>& pieces) const {
  Box matrix = atom(atom_index);
  matrix.axes.back().count = end - begin;
  pieces.push_back({.wanted = index_,
                    .first_row = first_row_ + rows_of(atom_index),
                    .rows = rows_of(1),
                    .first_column = begin,
                    .columns = end - begin,
                    .first = matrix.first + begin * matrix.axes.back().stride,
                    .axes = std::move(matrix.axes)});
}

}  // namespace sluice::weights
