#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "weights/ordered_view.h"

namespace sluice::weights {

std::vector<Band> bands_of_rows(const Weights& weights, const Wanted& wanted,
                                std::uint64_t first_row, std::uint64_t rows) {
  const std::uint64_t begin = first_row * wanted.row_elements;
  const std::uint64_t end = begin + rows * wanted.row_elements;
  std::vector<Band> bands;
  const auto add = [&](Band band, Piece piece) {
    band.pieces.push_back(std::move(piece));
    bands.push_back(std::move(band));
  };
  if (wanted.source->views.empty()) {
    Band band;
    band.elements = wanted.source->values.size();
    add(std::move(band), piece_of({{begin, {{end - begin, 1}}}, begin}, 0, wanted, 0));
  }
  Use use;
  std::uint64_t passed = 0;
  for (const View& view : wanted.source->views) {
    const Box box = merged({view.first, view.axes});
    const std::uint64_t next = passed + box.elements();
    const std::uint64_t from = std::max(begin, passed);
    const std::uint64_t to = std::min(end, next);
    if (from < to) {
      const Stored& stored = weights.stored[view.stored];
      const StoredUnit unit = unit_of(stored, {&wanted, 1}, {&use, 1});
      for (Part& part : parts_of(box, from - passed, to - passed)) {
        const std::uint64_t part_end = part.box.first + part.box.extent();
        Band band = band_of(stored, view.stored, unit, align_down(part.box.first, unit.elements),
                            align_up(part_end, unit.elements));
        add(std::move(band), piece_of(std::move(part), 0, wanted, passed / wanted.row_elements));
      }
    }
    passed = next;
    ++use.view;
  }
  return bands;
}

}  // namespace sluice::weights
