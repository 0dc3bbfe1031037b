#pragma once

// Types of ik_llama.cpp that store several neighbouring rows between one another.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/block_codec.h"

namespace sluice::inline SLUICE_ISA {

/// Decodes a group of rows, one after the other.
template <typename Block>
void decode_group(const std::byte* group, float* out, std::size_t elements) noexcept {
  const std::size_t columns = elements / Block::kRows;
  typename Block::RowScale scales[Block::kRows];
  std::memcpy(scales, group, sizeof scales);
  group += sizeof scales;
  for (std::size_t i = 0; i < columns; i += Block::kWeights, group += sizeof(Block)) {
    Block block;
    std::memcpy(&block, group, sizeof block);
    for (unsigned row = 0; row < Block::kRows; ++row) {
      block.decode(row, row_scale(scales[row]), out + row * columns + i);
    }
  }
}

template <typename Block>
bool group_finite(const std::byte* group, std::size_t) noexcept {
  bool all = true;
  for (std::size_t i = 0; i < Block::kRows; ++i) {
    all = all & row_finite<Block>(group + i * sizeof(typename Block::RowScale), 0);
  }
  return all;
}

/// The same where the blocks have all scales.
template <typename Block>
void decode_group_blocks(const std::byte* group, float* out, std::size_t elements) noexcept {
  const std::size_t columns = elements / Block::kRows;
  for (std::size_t i = 0; i < columns; i += Block::kWeights, group += sizeof(Block)) {
    Block block;
    std::memcpy(&block, group, sizeof block);
    for (unsigned row = 0; row < Block::kRows; ++row) block.decode(row, out + row * columns + i);
  }
}

template <typename Block>
bool group_blocks_finite(const std::byte* group, std::size_t count) noexcept {
  return all_finite<Block>(group, count / Block::kRows);
}

/// The codec of a type whose block holds kWeights columns of kRows rows, and has
///   decode(row, out)              which writes those of one row
///   finite()                      whether all of its floating-point scales are numbers
/// or, where a group begins with a scale for each of its rows,
///   RowScale                      float or std::uint16_t: how that is stored
///   decode(row, float d, out)     `d` is the row's scale, and the only one that is a float
/// and perhaps encode(), as in block_codec().
template <typename Block>
Codec group_codec(TensorType type) noexcept {
  Codec codec{};
  if constexpr (HasRowScale<Block>) {
    codec = {type, decode_group<Block>, nullptr, group_finite<Block>, 0};
  } else {
    codec = {type, decode_group_blocks<Block>, nullptr, group_blocks_finite<Block>, 0};
  }
  if constexpr (requires { &Block::encode; }) codec.encode = Block::encode;
  return codec;
}

}  // namespace sluice::inline SLUICE_ISA
