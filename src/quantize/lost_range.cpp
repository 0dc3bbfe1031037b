#include "quantize/lost_range.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace sluice {
namespace {

float largest_of(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

// What values that are encoded together would decode to if the type's range had no end.
std::vector<double> encode_within_range(const Codec& codec, const EncodeRows& together,
                                        float largest) {
  const int exponent = std::ilogb(largest) - std::ilogb(least_range(codec.type) / 4);
  std::vector<float> scaled(together.rows * together.row_elements);
  for (std::size_t i = 0; i < scaled.size(); ++i) {
    scaled[i] = std::ldexp(together.values[i], -exponent);
  }
  EncodeRows rows = together;
  rows.values = scaled.data();
  std::vector<std::byte> encoded(byte_size(codec.type, scaled.size(), rows.row_elements));
  codec.encode(rows, encoded.data());
  codec.decode(encoded.data(), scaled.data(), scaled.size());
  std::vector<double> could_be(scaled.size());
  std::ranges::transform(scaled, could_be.begin(),
                         [&](float value) { return std::ldexp(double{value}, exponent); });
  return could_be;
}

/// \param together  what one call of the decoder takes
LostRange lost_of(const Codec& codec, const EncodeRows& together, const std::byte* encoded) {
  LostRange lost;
  const std::size_t elements = together.rows * together.row_elements;
  const float largest = largest_of({together.values, elements});
  const float least = least_range(codec.type);
  if (!(largest > least)) return lost;
  std::vector<float> is(elements);
  codec.decode(encoded, is.data(), elements);
  const std::vector<double> could_be = encode_within_range(codec, together, largest);
  for (std::size_t i = 0; i < elements; ++i) {
    constexpr double kRounding = 0x1p-9;  // BF16's, the coarsest of the types without blocks
    const double value = together.values[i];
    const double off = std::abs(value - double{is[i]});
    const double could_be_off = std::abs(value - could_be[i]);
    if (!(std::abs(value) > double{least}) ||
        !(off > 2 * could_be_off + kRounding * std::abs(value))) {
      continue;
    }
    lost.add({1, together.values[i], is[i]});
  }
  return lost;
}

}  // namespace

void LostRange::add(const LostRange& other) {
  weights += other.weights;
  if (std::abs(other.largest) <= std::abs(largest)) return;
  largest = other.largest;
  became = other.became;
}

LostRange find_lost_range(const Codec& codec, const EncodeRows& rows, const std::byte* blocks) {
  const TensorTypeInfo& type = info(codec.type);
  EncodeRows together = rows;
  together.rows = type.rows;
  if (is_all_blocks(codec.type)) together.row_elements = type.block_elements;
  LostRange lost;
  for (std::size_t i = 0; i < rows.rows * rows.row_elements;
       i += together.rows * together.row_elements) {
    together.values = rows.values + i;
    if (rows.importance != nullptr) together.importance = rows.importance + i % rows.row_elements;
    lost.add(lost_of(codec, together, blocks + byte_size(codec.type, i, rows.row_elements)));
  }
  return lost;
}

}  // namespace sluice
