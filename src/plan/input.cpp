#include "plan/input.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <set>
#include <vector>

#include "sluice/codec.h"
#include "sluice/error.h"

namespace sluice {
namespace {

using weights::Coding;
using weights::Stored;
using weights::View;

/// Whether a view's weights lie in its order, next to one another.
bool in_order(const View& view) {
  std::uint64_t inside = 1;
  for (auto axis = view.axes.rbegin(); axis != view.axes.rend(); ++axis) {
    if (axis->count > 1 && axis->stride != inside) return false;
    inside *= axis->count;
  }
  return true;
}

/// Whether weights are what the output's type would make of them.
bool unchanged(const PlannedTensor& tensor, const weights::Weights& weights,
               const weights::Source& source) {
  if (tensor.source != tensor.type) return false;
  if (tensor.type == TensorType::f32 || !has_layout(tensor.type)) return true;
  return source.change == weights::Change::none &&
         std::ranges::all_of(source.views, [&](const View& view) {
           const Stored& stored = weights.stored[view.stored];
           return stored.coding == Coding::mxfp4 ? tensor.type == TensorType::mxfp4
                                                 : stored.coding == Coding::typed &&
                                                       stored.type == tensor.type && !stored.scales;
         });
}

Passage passage_of(const PlannedTensor& tensor, const weights::Weights& weights,
                   const weights::Source& source) {
  if (!has_layout(tensor.type)) return Passage::moved;
  if (!tensor.unchanged || source.views.empty() || source.change != weights::Change::none) {
    return Passage::encoded;
  }
  const auto all = [&](auto&& fits) {
    return std::ranges::all_of(
        source.views, [&](const View& view) { return fits(view, weights.stored[view.stored]); });
  };
  if (all([&](const View& view, const Stored& stored) {
        return stored.coding == Coding::typed && stored.type == tensor.type && !stored.scales &&
               in_order(view);
      })) {
    return Passage::moved;
  }
  const bool packed = all([](const View& view, const Stored& stored) {
    return stored.coding == Coding::mxfp4 && view.axes.back().stride == 1;
  });
  return packed ? Passage::repacked : Passage::encoded;
}

/// After how many weights a tensor whose bytes are only moved can be cut.
std::uint64_t moved_elements(const PlannedTensor& tensor) {
  if (!has_layout(tensor.type)) return 1;
  return is_all_blocks(tensor.type) ? info(tensor.type).block_elements
                                    : std::max<std::uint64_t>(1, tensor.joint_elements());
}

/// \throws Error (input_type) if rows that are stored together come from several stored tensors
void check_views(const PlannedTensor& tensor, const weights::Source& source) {
  if (info(tensor.type).rows == 1 || tensor.elements() == 0) return;
  for (const View& view : source.views) {
    std::uint64_t elements = 1;
    for (const weights::Axis& axis : view.axes) elements *= axis.count;
    if (elements % tensor.joint_elements() == 0) continue;
    throw Error(ErrorCode::input_type,
                fmt::format("its parts are no whole groups of the {} rows that {} stores together",
                            info(tensor.type).rows, name(tensor.type)),
                {.tensor = tensor.name, .cure = "Give it another type with --tensor-type"});
  }
}

/// Where from and in which order everything comes.
std::uint64_t hash_of(const weights::Weights& weights, const weights::Source& source) {
  std::vector<std::uint64_t> numbers = {static_cast<std::uint64_t>(source.change),
                                        source.views.size()};
  const auto add_place = [&](const weights::Place& place) {
    numbers.insert(numbers.end(), {place.part, place.offset, place.size});
  };
  for (const View& view : source.views) {
    const Stored& stored = weights.stored[view.stored];
    add_place(stored.place);
    numbers.insert(numbers.end(), {static_cast<std::uint64_t>(stored.coding),
                                   static_cast<std::uint64_t>(stored.type), stored.shape.size()});
    numbers.insert(numbers.end(), stored.shape.begin(), stored.shape.end());
    if (stored.scales) {
      const weights::Scales& scales = *stored.scales;
      add_place(scales.place);
      numbers.insert(numbers.end(), {static_cast<std::uint64_t>(scales.type), scales.block_rows,
                                     scales.block_columns, scales.columns, scales.matrix});
      // Where there is nothing of the kind, a run that an earlier version began goes on.
      if (!scales.common.empty()) numbers.push_back(scales.divided ? 1 : 0);
      for (const float common : scales.common) {
        numbers.push_back(std::bit_cast<std::uint32_t>(common));
      }
    }
    numbers.insert(numbers.end(), {view.first, view.axes.size()});
    for (const weights::Axis& axis : view.axes) {
      numbers.insert(numbers.end(), {axis.count, axis.stride});
    }
  }
  for (const float value : source.values) numbers.push_back(std::bit_cast<std::uint32_t>(value));
  return XXH3_64bits(numbers.data(), numbers.size() * sizeof(std::uint64_t));
}

}  // namespace

void describe_input(const weights::Weights& weights, const weights::Source& source,
                    PlannedTensor& tensor) {
  tensor.unchanged = unchanged(tensor, weights, source);
  tensor.passage = passage_of(tensor, weights, source);
  tensor.source_hash = hash_of(weights, source);
  // Of other types the stored tensor has bytes, of which nothing else is known.
  tensor.stored_as =
      has_layout(tensor.source) ? weights::stored_as(weights, source) : name(tensor.source);
  tensor.input_size = weights::stored_bytes(weights, source);
  tensor.input_part = weights::place_of(weights, tensor.model_tensor).part;
}

weights::Wanted wanted_of(const PlannedTensor& tensor, const weights::Source& source) {
  if (tensor.passage == Passage::moved) {
    return {.source = &source, .row_elements = moved_elements(tensor)};
  }
  check_views(tensor, source);
  // A tensor without weights has no rows either.
  const std::uint64_t row = std::max<std::uint64_t>(1, tensor.joint_elements());
  const Codec* const codec = find_codec(tensor.type);
  return {.source = &source,
          .row_elements = row,
          .row_bytes = byte_size(tensor.type, tensor.joint_elements(), tensor.row_elements()),
          .column_block = tensor.passage == Passage::encoded ? codec->column_block : 0};
}

void measure_bands(Plan& plan) {
  const weights::Weights& weights = *plan.weights;
  plan.band_bytes = weights::BandCursor::smallest_bytes(weights, plan.wanted);
  plan.matrix_bytes = weights::BandCursor::matrix_bytes(weights, plan.wanted);
  plan.input_size = weights::BandCursor::total_bytes(weights, plan.wanted);
  std::set<std::size_t> with_factors;
  for (const weights::Wanted& wanted : plan.wanted) {
    for (const View& view : wanted.source->views) {
      if (weights.stored[view.stored].scales) with_factors.insert(view.stored);
    }
  }
  for (const std::size_t stored : with_factors) {
    plan.input_size += weights.stored[stored].scales->place.size;
  }
}

}  // namespace sluice
