#include "weights/stored.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>

namespace sluice::weights {
namespace {

std::string coding_text(const Stored& stored) {
  switch (stored.coding) {
    case Coding::typed:
      return std::string(name(stored.type));
    case Coding::f8_e4m3:
      return "f8_e4m3";
    case Coding::f8_e5m2:
      return "f8_e5m2";
    case Coding::words4:
      return "int4";
    case Coding::int8:
    case Coding::words8:
      return "int8";
    case Coding::mxfp4:
      return "mxfp4";
    case Coding::nvfp4:
    case Coding::nvfp4_across:
      return "nvfp4";
  }
  return "?";
}

std::string blocks_text(const Stored& stored) {
  const Scales& scales = *stored.scales;
  constexpr std::array kAlwaysTheSame = {Coding::mxfp4, Coding::nvfp4, Coding::nvfp4_across};
  if (std::ranges::find(kAlwaysTheSame, stored.coding) != kAlwaysTheSame.end()) return {};
  const bool whole_rows = scales.block_columns >= stored.columns();
  if (whole_rows && scales.block_rows >= stored.rows()) return {};
  if (whole_rows && scales.block_rows == 1) return " rows";
  return fmt::format(" {}x{}", scales.block_rows, scales.block_columns);
}

/// A view's part of what a stored tensor has `bytes` of.
std::uint64_t share(const View& view, const Stored& stored, std::uint64_t bytes) {
  double elements = 1;
  for (const Axis& axis : view.axes) elements *= static_cast<double>(axis.count);
  return static_cast<std::uint64_t>(
      std::llround(static_cast<double>(bytes) * elements / static_cast<double>(stored.elements())));
}

}  // namespace

std::uint64_t Stored::elements() const {
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

std::uint64_t Stored::row_bytes() const {
  switch (coding) {
    case Coding::typed:
      return byte_size(type, columns(), typed_columns());
    case Coding::words4:
      return (columns() + 7) / 8 * 4;
    case Coding::words8:
      return (columns() + 3) / 4 * 4;
    case Coding::mxfp4:
    case Coding::nvfp4:
      return columns() / 2;
    case Coding::f8_e4m3:
    case Coding::f8_e5m2:
    case Coding::int8:
    case Coding::nvfp4_across:
      return columns();
  }
  return 0;
}

Place place_of(const Weights& weights, std::size_t tensor) {
  const Source& source = weights.sources[tensor];
  if (!source.views.empty()) return weights.stored[source.views.front().stored].place;
  const bool computed = !source.values.empty() || weights.stored.size() != weights.sources.size();
  return computed ? Place{} : weights.stored[tensor].place;
}

std::string stored_as(const Weights& weights, const Source& source) {
  if (source.views.empty()) return source.values.empty() ? "nothing" : "computed";
  const Stored& stored = weights.stored[source.views.front().stored];
  return coding_text(stored) + (stored.scales ? blocks_text(stored) : "");
}

std::uint64_t stored_bytes(const Weights& weights, const Source& source) {
  std::uint64_t bytes = 0;
  for (const View& view : source.views) {
    const Stored& stored = weights.stored[view.stored];
    bytes += share(view, stored, stored.place.size);
    if (stored.scales) bytes += share(view, stored, stored.scales->place.size);
  }
  return bytes;
}

std::uint64_t Stored::offset_of(std::uint64_t element) const {
  const std::uint64_t row = element / columns() / joint_rows() * row_bytes();
  const std::uint64_t column = element % columns();
  switch (coding) {
    case Coding::typed: {
      if (!is_all_blocks(type)) return row;
      const std::uint64_t block = info(type).block_elements;
      return byte_size(type, element / block * block);
    }
    case Coding::words4:
      return row + column / 8 * 4;
    case Coding::words8:
      return row + column / 4 * 4;
    case Coding::mxfp4:
    case Coding::nvfp4:
      return row + column / 2;
    case Coding::f8_e4m3:
    case Coding::f8_e5m2:
    case Coding::int8:
    case Coding::nvfp4_across:
      return row + column;
  }
  return row;
}

}  // namespace sluice::weights
