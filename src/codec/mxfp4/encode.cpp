#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#include "codec/lattice/lanes.h"
#include "codec/mxfp4/mxfp4.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {
namespace {

constexpr std::size_t kBlock = 32;
constexpr std::size_t kBlockRegisters = kBlock / kRegisterLanes;

FloatRegister load(const float* from) noexcept {
  FloatRegister value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
FloatRegister lesser(FloatRegister a, FloatRegister b) noexcept {
  return a < b ? a : b;
}
FloatRegister greater(FloatRegister a, FloatRegister b) noexcept {
  return a > b ? a : b;
}
FloatRegister magnitude(FloatRegister a) noexcept {
  return greater(a, -a);
}

/// A block in a row of memory.
struct Block {
  const float* values;
  const float* importance;  ///< null: all count the same

  FloatRegister magnitudes(std::size_t k) const noexcept {
    return magnitude(load(values + k * kRegisterLanes));
  }
  FloatRegister weights(std::size_t k) const noexcept {
    return importance == nullptr ? FloatRegister{} + 1.0f : load(importance + k * kRegisterLanes);
  }
  /// The largest magnitude of those that count.
  float largest() const noexcept {
    Lanes largest = 0;
    for (std::size_t k = 0; k < kBlockRegisters; ++k) {
      const FloatRegister counted = weights(k) > 0.0f ? magnitudes(k) : FloatRegister{};
      FloatRegister& part = largest.part[k % kRegisters];
      part = greater(part, counted);
    }
    return largest_of_lanes(largest);
  }
};

/// The E2M1 number nearest to each number that is not negative, ties to even codes. With one bit of
/// mantissa the step is half the power of two below the number, and a half below one; adding
/// 1.5 * 2^23 steps leaves no bits below a step.
FloatRegister round_to_e2m1(FloatRegister number) noexcept {
  number = lesser(number, FloatRegister{} + 6.0f);
  const FloatRegister power =
      reinterpret_cast<FloatRegister>(reinterpret_cast<IntRegister>(number) & 0x7f800000);
  const FloatRegister shift = greater(power, FloatRegister{} + 1.0f) * 0x1.8p22f;
  return (number + shift) - shift;
}

/// The exponent at which the largest weight is among [4, 8) of the scale, where what is above 6 is
/// cut off.
unsigned fine_exponent(float largest) noexcept {
  const unsigned power = std::bit_cast<std::uint32_t>(largest) >> 23;
  return power < 2 ? 0 : power - 2;
}

/// At the next one, 4 times the scale is beyond binary32.
constexpr unsigned kMostExponent = 252;

/// One by the scale, 2^(127 - exponent).
float inverse_scale(unsigned exponent) noexcept {
  return std::bit_cast<float>((254 - exponent) << 23);
}

/// Whether there is less error at twice the scale.
bool coarse_is_better(const Block& block, unsigned exponent) noexcept {
  const float inverse = inverse_scale(exponent);
  Lanes sum = 0;
  for (std::size_t k = 0; k < kBlockRegisters; ++k) {
    // What does not count may be far beyond the rest.
    const FloatRegister number = lesser(block.magnitudes(k) * inverse, FloatRegister{} + 8.0f);
    const FloatRegister off = number - round_to_e2m1(number);
    const FloatRegister half = number * 0.5f;
    const FloatRegister coarse_off = (half - round_to_e2m1(half)) * 2.0f;
    sum.part[k % kRegisters] += block.weights(k) * (coarse_off * coarse_off - off * off);
  }
  return sum_of_lanes(sum) < 0;
}

/// The codes nearest to the values; zeros have no sign.
void find_codes(const float* values, unsigned exponent, std::uint8_t* codes) noexcept {
  const float inverse = inverse_scale(exponent);
  std::array<std::int32_t, kBlock> twice;  // the number; 16 more for a minus
  for (std::size_t k = 0; k < kBlockRegisters; ++k) {
    const FloatRegister value = load(values + k * kRegisterLanes);
    const FloatRegister level = round_to_e2m1(magnitude(value) * inverse);
    const IntRegister number = __builtin_convertvector(level * 2.0f, IntRegister);
    const IntRegister both = number | ((value < 0.0f) & 16);
    std::memcpy(&twice[k * kRegisterLanes], &both, sizeof both);
  }
  for (std::size_t i = 0; i < kBlock; ++i) codes[i] = static_cast<std::uint8_t>(twice[i]);
  constexpr Bytes16 kNone = {};
  constexpr Bytes16 kOne = kNone + 1;
  for (std::size_t i = 0; i < kBlock; i += 16) {
    Bytes16 code;
    std::memcpy(&code, codes + i, sizeof code);
    const Bytes16 t = code & 15;
    // 0, 1, 2, 3, 4, 6, 8 and 12 are numbered.
    const Bytes16 number =
        t - (t > 4 ? kOne : kNone) - (t > 6 ? kOne : kNone) - (t > 8 ? kOne * 3 : kNone);
    code = t > 0 ? number | (code >> 4 << 3) : kNone;
    std::memcpy(codes + i, &code, sizeof code);
  }
}

/// The largest weight decides the exponent but for one bit; the one of less error is taken. Each
/// step is done for all blocks before the next, since one block's steps wait for each other.
constexpr std::size_t kBatch = 8;

void encode_batch(const std::array<Block, kBatch>& given, std::size_t count,
                  std::byte* out) noexcept {
  std::array<Block, kBatch> blocks = given;
  std::array<unsigned, kBatch> exponents;
  for (std::size_t b = 0; b < count; ++b) {
    float largest = blocks[b].largest();
    if (largest == 0) {  // nothing counts: all do
      blocks[b].importance = nullptr;
      largest = blocks[b].largest();
    }
    exponents[b] = fine_exponent(largest);
  }
  for (std::size_t b = 0; b < count; ++b) {
    const unsigned better = exponents[b] + coarse_is_better(blocks[b], exponents[b]);
    exponents[b] = std::min(better, kMostExponent);
  }
  for (std::size_t b = 0; b < count; ++b, out += sizeof(BlockMXFP4)) {
    std::uint8_t codes[kBlock];
    find_codes(blocks[b].values, exponents[b], codes);
    BlockMXFP4 block;
    block.exponent = static_cast<std::uint8_t>(exponents[b]);
    pack_nibbles(codes, block.codes);
    std::memcpy(out, &block, sizeof block);
  }
}

}  // namespace

void encode_mxfp4(const EncodeRows& rows, std::byte* out) noexcept {
  const std::size_t in_row = rows.row_elements / kBlock;
  const std::size_t total = rows.rows * in_row;
  std::array<Block, kBatch> blocks;
  std::size_t column = 0;
  for (std::size_t first = 0; first < total; first += kBatch) {
    const std::size_t count = std::min(kBatch, total - first);
    for (std::size_t b = 0; b < count; ++b) {
      blocks[b] = {rows.values + (first + b) * kBlock,
                   rows.importance == nullptr ? nullptr : rows.importance + column * kBlock};
      if (++column == in_row) column = 0;
    }
    encode_batch(blocks, count, out + first * sizeof(BlockMXFP4));
  }
}

}  // namespace sluice::inline SLUICE_ISA
