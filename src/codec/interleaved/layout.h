#pragma once

// Where interleaved types of ik_llama.cpp have what is in blocks of the plain type. A block of such a
// type has all bits of a plain block of each of its rows, at other places. A type says where, part by
// part; its decoder puts each plain block together again and calls the plain type's.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/block_codec.h"
#include "codec/types.h"

namespace sluice::inline SLUICE_ISA {

#define SLUICE_DECLARE_PLAIN(type) Codec codec_##type() noexcept;
SLUICE_CODEC_TYPES(SLUICE_DECLARE_PLAIN)
#undef SLUICE_DECLARE_PLAIN

/// Where the numbers of an array lie: with a number's index in mixed radix, lowest digit first, each
/// digit counts so many bits.
struct Places {
  struct Digit {
    unsigned radix = 1;
    unsigned bits = 0;
  };

  unsigned first = 0;  ///< bit of number 0
  std::array<Digit, 5> digits{};

  constexpr unsigned of(unsigned index) const noexcept {
    unsigned bit = first;
    for (const Digit& digit : digits) {
      bit += index % digit.radix * digit.bits;
      index /= digit.radix;
    }
    return bit;
  }
  constexpr Places operator+(unsigned bits) const noexcept { return {first + bits, digits}; }
};

/// The radix of a last digit, which is whatever is left of the index.
inline constexpr unsigned kRest = 1u << 31;

/// Numbers `bits` apart in bytes from `byte` on: the first `span` numbers are the lowest of as many
/// bytes, which are `stride` apart, the next ones lie above them.
constexpr Places packed(unsigned byte, unsigned bits, unsigned span = 1,
                        unsigned stride = 1) noexcept {
  return {8 * byte, {{{span, 8 * stride}, {8 / bits, bits}, {kRest, 8 * stride * span}}}};
}

/// Four bytes of a row, then four of each of the others.
constexpr Places bytes_by_four(unsigned byte, unsigned rows) noexcept {
  return {8 * byte, {{{4, 8}, {kRest, 32 * rows}}}};
}

/// Codes of columns, 32 of all rows in `run_bytes`: four neighbours are in neighbouring bytes, and bits
/// 0, 1 and 2 of a four's number count so many bits.
constexpr Places fours(unsigned byte, unsigned run_bytes, unsigned bit0, unsigned bit1,
                       unsigned bit2) noexcept {
  return {8 * byte, {{{4, 8}, {2, bit0}, {2, bit1}, {2, bit2}, {kRest, 8 * run_bytes}}}};
}

/// Codes of four bits and of two bits, as nearly all types of four rows have them.
constexpr Places nibbles_of_four_rows(unsigned byte) noexcept {
  return fours(byte, 64, 256, 4, 128);
}
constexpr Places pairs_of_four_rows(unsigned byte) noexcept {
  return fours(byte, 32, 2, 4, 128);
}

/// An array of numbers, none of which is in two bytes.
struct Part {
  unsigned bits;   ///< of a number
  unsigned count;  ///< in a plain block
  Places plain;
  Places group;        ///< of the first row
  unsigned row_bytes;  ///< from a row's to the next one's
  bool is_float = false;
};

/// A binary16.
constexpr Part half_part(unsigned plain_byte, unsigned group_byte) noexcept {
  return {8, 2, packed(plain_byte, 8), packed(group_byte, 8), 2, true};
}

/// Where one number comes from, and where it goes.
struct Move {
  std::uint16_t from;  ///< byte of the first row's
  std::uint16_t to;
  std::uint8_t from_shift;
  std::uint8_t to_shift;
  std::uint8_t mask;
  std::uint8_t row_bytes;
};

template <typename Type>
constexpr std::size_t count_moves(bool floats_only) noexcept {
  std::size_t moves = 0;
  for (const Part& part : Type::kParts) moves += part.is_float || !floats_only ? part.count : 0;
  return moves;
}

template <typename Type>
constexpr std::size_t plain_block_bytes() noexcept {
  std::size_t bits = 0;
  for (const Part& part : Type::kParts) bits += std::size_t{part.bits} * part.count;
  return bits / 8;
}

template <typename Type>
constexpr auto moves_of_parts() noexcept {
  std::array<Move, count_moves<Type>(false)> moves{};
  std::size_t n = 0;
  for (const Part& part : Type::kParts) {
    for (unsigned i = 0; i < part.count; ++i) {
      const unsigned from = part.group.of(i);
      const unsigned to = part.plain.of(i);
      moves[n++] = {static_cast<std::uint16_t>(from / 8),
                    static_cast<std::uint16_t>(to / 8),
                    static_cast<std::uint8_t>(from % 8),
                    static_cast<std::uint8_t>(to % 8),
                    static_cast<std::uint8_t>((1u << part.bits) - 1),
                    static_cast<std::uint8_t>(part.row_bytes)};
    }
  }
  return moves;
}

/// One row's plain block, or its floating-point numbers only.
template <typename Type>
void take_plain(const std::byte* block, unsigned row, bool floats_only, std::byte* plain) noexcept {
  static constexpr auto kMoves = moves_of_parts<Type>();
  std::memset(plain, 0, plain_block_bytes<Type>());
  const std::size_t count = floats_only ? count_moves<Type>(true) : kMoves.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Move& move = kMoves[i];
    const auto byte = static_cast<unsigned>(block[move.from + row * move.row_bytes]);
    plain[move.to] |=
        static_cast<std::byte>((byte >> move.from_shift & move.mask) << move.to_shift);
  }
  if constexpr (requires { Type::amend(plain); }) {
    if (!floats_only) Type::amend(plain);
  }
}

/// Bytes of each row's scale, with all of which a group begins.
template <typename Type>
constexpr std::size_t scale_bytes() noexcept {
  if constexpr (requires { Type::kScaleBytes; }) return Type::kScaleBytes;
  return 0;
}

template <typename Type>
void decode_interleaved(const std::byte* group, float* out, std::size_t elements) noexcept {
  constexpr std::size_t kScale = scale_bytes<Type>();
  constexpr std::size_t kPlain = plain_block_bytes<Type>();
  const DecodeFunction decode = Type::kPlain().decode;
  const std::size_t columns = elements / Type::kRows;
  const std::byte* block = group + Type::kRows * kScale;
  for (std::size_t i = 0; i < columns; i += Type::kWeights, block += Type::kRows * kPlain) {
    for (unsigned row = 0; row < Type::kRows; ++row) {
      std::byte plain[kScale + kPlain];
      std::memcpy(plain, group + row * kScale, kScale);
      take_plain<Type>(block, row, false, plain + kScale);
      decode(plain, out + row * columns + i, Type::kWeights);
    }
  }
}

template <typename Type>
bool interleaved_finite(const std::byte* group, std::size_t count) noexcept {
  constexpr std::size_t kPlain = plain_block_bytes<Type>();
  const Codec codec = Type::kPlain();
  bool all = true;
  if constexpr (constexpr std::size_t kScale = scale_bytes<Type>(); kScale > 0) {
    for (unsigned row = 0; row < Type::kRows; ++row) {
      all = all & codec.scales_finite(group + row * kScale, 0);
    }
  } else {
    const std::size_t in_block = Type::kWeights / codec.column_block;
    for (std::size_t i = 0; i < count; i += Type::kRows, group += Type::kRows * kPlain) {
      for (unsigned row = 0; row < Type::kRows; ++row) {
        std::byte plain[kPlain];
        take_plain<Type>(group, row, true, plain);
        all = all & codec.scales_finite(plain, in_block);
      }
    }
  }
  return all;
}

/// The codec of a type that has
///   kRows, kWeights   rows of a group; columns of each in a block
///   kPlain            function that gives the codec of the plain type
///   kParts            what a plain block is made of, floating-point numbers first
///   kScaleBytes       of a row's scale, if rows have any; the plain row begins with the same
///   amend(plain)      what is done to a plain block beside that, if anything
template <typename Type>
Codec interleaved_codec(TensorType type) noexcept {
  return {type, decode_interleaved<Type>, nullptr, interleaved_finite<Type>, 0};
}

}  // namespace sluice::inline SLUICE_ISA
