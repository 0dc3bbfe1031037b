#include "weights/stored_unit.h"

#include <numeric>

#include "weights/factors.h"

namespace sluice::weights {
namespace {

void add_scales(const Stored& stored, Band& band) {
  const Scales& scales = *stored.scales;
  const std::uint64_t rows = stored.rows();
  const std::uint64_t first_row = band.first_element / stored.columns();
  const std::uint64_t last_row = (band.first_element + band.elements - 1) / stored.columns();
  std::uint64_t first = factor_index(stored, first_row, 0);
  std::uint64_t last = factor_index(stored, last_row, stored.columns() - 1);
  if (scales.matrix == 0 && first_row / rows != last_row / rows) {
    first = 0;
    last = factor_index(stored, rows - 1, stored.columns() - 1);
  }
  const std::uint64_t size = factor_size(scales.type);
  band.first_scale = first;
  band.scales = io::ReadRange{scales.place.part, scales.place.offset + first * size,
                              (last + 1 - first) * size};
}

}  // namespace

StoredUnit unit_of(const Stored& stored, std::span<const Wanted> wanted,
                   std::span<const Use> uses) {
  const StoredUnit row{stored.joint_rows() * stored.columns(), stored.row_bytes()};
  if (stored.coding != Coding::typed || stored.scales || !is_all_blocks(stored.type)) return row;
  std::uint64_t elements = row.elements;
  for (const Use& use : uses) {
    const Wanted& tensor = wanted[use.wanted];
    if (tensor.source->views[use.view].axes.back().stride != 1) return row;
    elements = std::gcd(elements, tensor.row_elements);
  }
  if (elements % info(stored.type).block_elements != 0) return row;
  return {elements, byte_size(stored.type, elements)};
}

Band band_of(const Stored& stored, std::size_t index, const StoredUnit& unit, std::uint64_t begin,
             std::uint64_t end) {
  Band band;
  band.stored = index;
  band.first_element = begin;
  band.elements = end - begin;
  band.range = {stored.place.part, stored.place.offset + unit.bytes_of(begin),
                unit.bytes_of(end - begin)};
  if (stored.scales) add_scales(stored, band);
  return band;
}

}  // namespace sluice::weights
