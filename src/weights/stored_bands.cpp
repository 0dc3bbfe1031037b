#include "weights/stored_bands.h"

#include <algorithm>
#include <numeric>

#include "base/checked.h"

namespace sluice::weights {

StoredBands::StoredBands(const Weights& weights, std::size_t stored, std::span<const Wanted> wanted,
                         std::span<const Use> uses)
    : stored_(weights.stored[stored]),
      index_(stored),
      unit_(unit_of(stored_, wanted, uses)),
      end_(stored_.elements()) {
  views_.reserve(uses.size());
  for (const Use& use : uses) {
    const Wanted& tensor = wanted[use.wanted];
    views_.emplace_back(tensor.source->views[use.view], tensor, use.wanted, use.first_row, unit_);
  }
}

std::optional<Band> StoredBands::next(std::uint64_t most_bytes) {
  if (columns_) return next_columns();
  if (!find_next()) return std::nullopt;
  const std::uint64_t begin = at_;
  const std::uint64_t smallest = smallest_end();
  if (cost(begin, smallest) > most_bytes && (columns_ = columns_until(smallest))) {
    // The first and the last band may have more beside their columns.
    const std::uint64_t bytes = unit_.bytes_of(columns_->stride * columns_->block);
    const std::uint64_t least = smallest_bytes(*columns_);
    const std::uint64_t blocks = most_bytes > least ? (most_bytes - least) / bytes + 1 : 1;
    columns_->at_once = std::min(columns_->count, blocks * columns_->block);
    return next_columns();
  }
  at_ = largest_end(smallest, most_bytes);
  Band result = band(begin, at_);
  for (const OrderedView& view : views_) {
    view.add_pieces(view.atoms_before(begin), view.atoms_before(at_), result.pieces);
  }
  return result;
}

Band StoredBands::next_columns() {
  Columns& columns = *columns_;
  const std::uint64_t first = columns.next;
  const std::uint64_t last = std::min(columns.count, first + columns.at_once);
  const std::uint64_t begin = at_;
  const bool whole = last == columns.count;
  const std::uint64_t end = whole ? columns.end : columns.begin + last * columns.stride;
  Band result = band(begin, end);
  for (const OrderedView& view : views_) {
    const std::uint64_t atom = view.atoms_before(columns.begin);
    if (view.atoms_before(columns.end) > atom) {
      view.add_columns(atom, first, last, result.pieces);
    }
  }
  result.matrix = Matrix{
      .number = matrices_, .bands = (columns.count - 1) / columns.at_once + 1, .first = first == 0};
  columns.next = last;
  at_ = end;
  if (whole) {
    columns_.reset();
    ++matrices_;
  }
  return result;
}

/// Whether there is more to read: what begins at `at_`.
bool StoredBands::find_next() {
  covered_ = std::max(covered_, at_);
  extend_cover(at_ + 1);
  if (at_ < covered_) return true;
  const std::uint64_t begin = next_begin();
  if (begin >= end_) return false;
  at_ = covered_ = begin;
  return true;
}

/// Where weights that are wanted begin, from the next band on.
std::uint64_t StoredBands::next_begin() const {
  std::uint64_t begin = end_;
  for (const OrderedView& view : views_) {
    const std::uint64_t before = view.atoms_before(at_);
    if (before < view.atoms()) {
      begin = std::min(begin, align_down(view.begin_of(before), unit_.elements));
    }
  }
  return begin;
}

void StoredBands::extend_cover(std::uint64_t end) {
  for (std::uint64_t before = ~covered_; covered_ < end && covered_ != before;) {
    before = covered_;
    for (const OrderedView& view : views_) covered_ = view.covered_from(covered_);
  }
}

/// Where the smallest band ends that has any weights.
std::uint64_t StoredBands::smallest_end() const {
  return cut_from(next_begin() + unit_.elements);
}

std::uint64_t StoredBands::largest_end(std::uint64_t smallest, std::uint64_t most_bytes) {
  const std::uint64_t most = std::min(most_bytes / unit_.bytes, end_ / unit_.elements);
  extend_cover(at_ + most * unit_.elements);
  std::uint64_t low = smallest / unit_.elements;
  std::uint64_t high = covered_ / unit_.elements;
  if (cost(at_, covered_) <= most_bytes) low = high;
  while (low < high) {
    const std::uint64_t middle = high - (high - low) / 2;
    if (cost(at_, middle * unit_.elements) <= most_bytes) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return std::max(smallest, cut_until(low * unit_.elements));
}

std::uint64_t StoredBands::cut_from(std::uint64_t position) const {
  for (std::uint64_t before = ~position; position != before;) {
    before = position;
    for (const OrderedView& view : views_) position = view.cut_from(position);
  }
  return position;
}

std::uint64_t StoredBands::cut_until(std::uint64_t position) const {
  for (std::uint64_t before = ~position; position != before;) {
    before = position;
    for (const OrderedView& view : views_) position = view.cut_until(position);
  }
  return position;
}

/// Bytes of a band and of what becomes of it.
std::uint64_t StoredBands::cost(std::uint64_t begin, std::uint64_t end) const {
  std::uint64_t bytes = unit_.bytes_of(end - begin);
  for (const OrderedView& view : views_) {
    const std::uint64_t atoms = view.atoms_before(end) - view.atoms_before(begin);
    bytes += view.rows_of(atoms) * view.wanted().row_bytes;
  }
  return bytes;
}

/// What lies from the next band to `end`, if it is atoms that come in columns.
std::optional<StoredBands::Columns> StoredBands::columns_until(std::uint64_t end) const {
  Columns result{.begin = next_begin(), .block = 1, .end = end};
  for (const OrderedView& view : views_) {
    const std::uint64_t index = view.atoms_before(at_);
    const std::uint64_t atoms = view.atoms_before(end) - index;
    if (atoms == 0) continue;
    Box atom = view.atom(index);
    const Wanted& wanted = view.wanted();
    if (atoms > 1 || atom.axes.size() < 2 || wanted.column_block == 0) return std::nullopt;
    const Axis columns = atom.axes.back();
    atom.axes.pop_back();
    const bool fits =
        columns.count == wanted.row_elements &&
        (columns.stride % unit_.elements == 0 || unit_.elements % columns.stride == 0) &&
        atom.first - result.begin + atom.extent() <= columns.stride;
    const bool agrees =
        result.count == 0 || (result.count == columns.count && result.stride == columns.stride);
    if (!fits || !agrees) return std::nullopt;
    result.count = columns.count;
    result.stride = columns.stride;
    result.block = std::lcm(result.block, wanted.column_block);
    result.block =
        std::lcm(result.block, std::max<std::uint64_t>(1, unit_.elements / columns.stride));
    result.bytes += view.rows_of(1) * wanted.row_bytes;
  }
  if (result.block >= result.count) return std::nullopt;
  return result;
}

/// Bytes of the largest band of a matrix that comes in bands as small as can be.
std::uint64_t StoredBands::smallest_bytes(const Columns& columns) const {
  const std::uint64_t step = columns.stride * columns.block;
  const std::uint64_t last = columns.begin + (columns.count - 1) / columns.block * step;
  return unit_.bytes_of(std::max(columns.begin + step - at_, columns.end - last));
}

Band StoredBands::band(std::uint64_t begin, std::uint64_t end) const {
  return band_of(stored_, index_, unit_, begin, end);
}

std::vector<std::uint64_t> StoredBands::signature() const {
  std::vector<std::uint64_t> result = {unit_.elements, unit_.bytes, end_};
  for (const OrderedView& view : views_) {
    const Wanted& wanted = view.wanted();
    result.insert(result.end(), {wanted.row_elements, wanted.row_bytes, wanted.column_block,
                                 view.box().first, view.box().axes.size()});
    for (const Axis& axis : view.box().axes) {
      result.insert(result.end(), {axis.count, axis.stride});
    }
  }
  return result;
}

BandNeeds StoredBands::needs() {
  BandNeeds needs;
  for (StoredBands all = *this; all.find_next(); all.at_ = all.covered_) {
    all.extend_cover(end_);
    needs.total_bytes += unit_.bytes_of(all.covered_ - all.at_);
  }
  const Repetition repetition = find_repetition();
  while (find_next()) {
    if (next_begin() == repetition.begin) at_ += repetition.end - repetition.begin;
    // Where each unit is a band like the one before, one of them tells of all.
    std::uint64_t even = end_;
    for (const OrderedView& view : views_) even = std::min(even, view.even_from(at_));
    const bool is_even = even > at_ && next_begin() == at_;
    const std::uint64_t end = is_even ? at_ + unit_.elements : smallest_end();
    if (const auto columns = columns_until(end)) {
      needs.matrix_bytes = std::max(needs.matrix_bytes, columns->bytes);
      needs.smallest_bytes = std::max(needs.smallest_bytes, smallest_bytes(*columns));
    } else {
      needs.smallest_bytes = std::max(needs.smallest_bytes, cost(at_, end));
    }
    at_ = is_even ? even : end;
  }
  return needs;
}

/// Steps of the views' first axis that are like the one before them: all but two and the last, if
/// the axis is the same and there is a cut after each step.
StoredBands::Repetition StoredBands::find_repetition() const {
  const Axis axis = views_.front().box().axes.front();
  const std::uint64_t begin = next_begin();
  const std::uint64_t next = begin + axis.stride;
  const auto repeats = [&](const OrderedView& view) {
    const Axis& first = view.box().axes.front();
    return view.is_ordered() && first.count == axis.count && first.stride == axis.stride &&
           view.box().first < next;
  };
  if (axis.count <= 3 || axis.stride % unit_.elements != 0 || cut_from(next) != next ||
      !std::ranges::all_of(views_, repeats)) {
    return {end_, end_};
  }
  return {next + axis.stride, begin + (axis.count - 1) * axis.stride};
}

}  // namespace sluice::weights
