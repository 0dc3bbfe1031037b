#include "quantize/lost_range.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sluice {
namespace {

constexpr std::size_t kLongestBlock = 256;

using Block = std::array<float, kLongestBlock>;

float largest_of(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

// What a block's values would decode to if the type's range had no end.
void encode_within_range(const Codec& codec, const EncodeRows& block, float largest,
                         std::array<double, kLongestBlock>& out) {
  constexpr int kSafeExponent = 13;
  const int exponent = std::ilogb(largest) - kSafeExponent;
  Block scaled;
  for (std::size_t i = 0; i < block.row_elements; ++i) {
    scaled[i] = std::ldexp(block.values[i], -exponent);
  }
  EncodeRows rows = block;
  rows.values = scaled.data();
  std::array<std::byte, kLongestBlock * sizeof(float)> encoded;
  codec.encode(rows, encoded.data());
  codec.decode(encoded.data(), scaled.data(), block.row_elements);
  for (std::size_t i = 0; i < block.row_elements; ++i) {
    out[i] = std::ldexp(double{scaled[i]}, exponent);
  }
}

LostRange lost_of_block(const Codec& codec, const EncodeRows& block, const std::byte* encoded) {
  LostRange lost;
  const float largest = largest_of({block.values, block.row_elements});
  if (!(largest > kLeastRange)) return lost;
  Block is;
  std::array<double, kLongestBlock> could_be;
  codec.decode(encoded, is.data(), block.row_elements);
  encode_within_range(codec, block, largest, could_be);
  for (std::size_t i = 0; i < block.row_elements; ++i) {
    constexpr double kRounding = 0x1p-9;  // BF16's, the coarsest of the types without blocks
    const double value = block.values[i];
    const double off = std::abs(value - double{is[i]});
    const double could_be_off = std::abs(value - could_be[i]);
    if (!(std::abs(value) > double{kLeastRange}) ||
        !(off > 2 * could_be_off + kRounding * std::abs(value))) {
      continue;
    }
    lost.add({1, block.values[i], is[i]});
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
  const std::size_t elements = info(codec.type).block_elements;
  LostRange lost;
  for (std::size_t i = 0; i < rows.rows * rows.row_elements; i += elements) {
    EncodeRows block = rows;
    block.values = rows.values + i;
    block.rows = 1;
    block.row_elements = elements;
    if (rows.importance != nullptr) block.importance = rows.importance + i % rows.row_elements;
    lost.add(lost_of_block(codec, block, blocks + byte_size(codec.type, i)));
  }
  return lost;
}

}  // namespace sluice
