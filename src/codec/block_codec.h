#pragma once

// A type's codec, made from what its block says of itself.

#include <cstddef>
#include <cstring>

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

/// The encoder of types without scales: number(value) for each value.
template <typename Number>
void encode_values(const EncodeRows& rows, std::byte* out, Number number) noexcept {
  const std::size_t elements = rows.rows * rows.row_elements;
  const float* values = rows.values;
  for (std::size_t i = 0; i < elements; ++i) {
    const auto bits = number(values[i]);
    std::memcpy(out + i * sizeof bits, &bits, sizeof bits);
  }
}

/// The codec of a type whose block, a structure of the format's bytes, has
///   kWeights               how many weights a block holds
///   decode(float* out)     which writes that many values
///   finite()               whether all of its floating-point scales are numbers
///   encode(rows, out)      static, an EncodeFunction; none where the type is only read
template <typename Block>
Codec block_codec(TensorType type) noexcept {
  Codec codec{type, decode_blocks<Block>, nullptr, all_finite<Block>, Block::kWeights};
  if constexpr (requires { &Block::encode; }) codec.encode = Block::encode;
  return codec;
}

}  // namespace sluice::inline SLUICE_ISA
