#pragma once

// A type's codec, made from what its block says of itself.

#include <cfloat>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/float16.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

template <typename Block>
void decode_blocks(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t i = 0; i < elements; i += Block::kWeights, blocks += sizeof(Block)) {
    Block block;
    std::memcpy(&block, blocks, sizeof block);
    block.decode(out + i);
  }
}

/// Without a branch a block, so that it runs on vectors where the compiler can.
template <typename Block>
bool all_finite(const std::byte* blocks, std::size_t count) noexcept {
  bool all = true;
  for (std::size_t i = 0; i < count; ++i) {
    Block block;
    std::memcpy(&block, blocks + i * sizeof block, sizeof block);
    all = all & block.finite();
  }
  return all;
}

/// What a type's row begins with, where Block::RowScale, a float or the bits of a binary16, says that
/// it begins with anything.
template <typename Block>
concept HasRowScale = requires {
  typename Block::RowScale;
};

static inline float row_scale(float scale) noexcept {
  return scale;
}
static inline float row_scale(std::uint16_t half) noexcept {
  return f16_to_f32(half);
}

/// The scale that a row begins with, after which its blocks follow.
template <HasRowScale Block>
float read_row_scale(const std::byte* row) noexcept {
  typename Block::RowScale scale;
  std::memcpy(&scale, row, sizeof scale);
  return row_scale(scale);
}

template <HasRowScale Block>
void decode_row(const std::byte* row, float* out, std::size_t elements) noexcept {
  const float scale = read_row_scale<Block>(row);
  row += sizeof(typename Block::RowScale);
  for (std::size_t i = 0; i < elements; i += Block::kWeights, row += sizeof(Block)) {
    Block block;
    std::memcpy(&block, row, sizeof block);
    block.decode(scale, out + i);
  }
}

/// No type multiplies its row's scale by 2^14 or more.
inline constexpr double kMostRowScale = double{FLT_MAX} * 0x1p-14;
template <HasRowScale Block>
bool row_finite(const std::byte* row, std::size_t) noexcept {
  const float largest = read_row_scale<Block>(row) * 0x1p14f;
  return largest - largest == 0;
}

/// The encoder of types without scales: number(value) for each value, or number.several(values, out)
/// for kAtOnce of them where it has that.
template <typename Number>
void encode_values(const EncodeRows& rows, std::byte* out, Number number) noexcept {
  const std::size_t elements = rows.rows * rows.row_elements;
  const float* values = rows.values;
  std::size_t i = 0;
  if constexpr (requires { Number::kAtOnce; }) {
    for (; i + Number::kAtOnce <= elements; i += Number::kAtOnce) {
      number.several(values + i, out + i * sizeof(number(0.0f)));
    }
  }
  for (; i < elements; ++i) {
    const auto bits = number(values[i]);
    std::memcpy(out + i * sizeof bits, &bits, sizeof bits);
  }
}

/// The codec of a type whose block, a structure of the format's bytes, has
///   kWeights               how many weights a block holds
///   decode(float* out)     which writes that many values
///   finite()               whether all of its floating-point scales are numbers
///   encode(rows, out)      static, an EncodeFunction; none where the type is only read
/// A type with a scale before each row's blocks has
///   RowScale                     float or std::uint16_t: how that is stored
///   decode(float d, float* out)  `d` is the row's scale, and the only one that is a float
/// and no finite(). Its encoder writes rows: a RowScale, then a Block for each kWeights columns.
template <typename Block>
Codec block_codec(TensorType type) noexcept {
  Codec codec{};
  if constexpr (HasRowScale<Block>) {
    codec = {type, decode_row<Block>, nullptr, row_finite<Block>, 0};
  } else {
    codec = {type, decode_blocks<Block>, nullptr, all_finite<Block>, Block::kWeights};
  }
  if constexpr (requires { &Block::encode; }) codec.encode = Block::encode;
  return codec;
}

}  // namespace sluice::inline SLUICE_ISA
