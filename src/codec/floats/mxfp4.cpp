#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "codec/block_codec.h"
#include "codec/floats/e2m1.h"
#include "codec/packing.h"
#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// MXFP4: 32 weights in 17 bytes, 4.25 bits a weight: 2^(exponent - 127) times a four-bit float
/// (E2M1). OCP Microscaling Formats specification, version 1.0.
struct BlockMXFP4 {
  static constexpr std::size_t kWeights = 32;

  std::uint8_t exponent;   ///< E8M0
  std::uint8_t codes[16];  ///< byte j: code j in the low half, code j + 16 in the high half

  bool finite() const noexcept { return exponent != 0xff; }
  void decode(float* out) const noexcept {
    const float scale = half_scale(exponent);
    for (std::size_t j = 0; j < 16; ++j) {
      out[j] = static_cast<float>(kTwiceE2M1[codes[j] & 15]) * scale;
      out[j + 16] = static_cast<float>(kTwiceE2M1[codes[j] >> 4]) * scale;
    }
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept;

 private:
  /// 2^(exponent - 128), half of the block's scale since the table holds twice the values. The two
  /// smallest are denormal. 255, which the specification reserves for NaN, is a number to readers.
  static float half_scale(unsigned exponent) noexcept {
    return std::bit_cast<float>(exponent < 2 ? 0x00200000u << exponent : (exponent - 1) << 23);
  }
};
static_assert(sizeof(BlockMXFP4) == 17);

namespace mxfp4 {

inline constexpr std::size_t kBlock = BlockMXFP4::kWeights;
using Values = simd::Lanes<float, kBlock>;

/// A block in a row of memory.
struct Source {
  const float* values;
  const float* importance;  ///< null: all count the same

  /// Minus zero for zero, so that the exponent of a block of zeros is kMostExponent.
  SLUICE_INLINE Values magnitudes() const noexcept {
    const Values value = Values::load(values);
    return max(value, -value);
  }
  SLUICE_INLINE Values weights() const noexcept {
    if (importance == nullptr) return 1;
    return Values::load(importance);
  }
  /// The largest magnitude of those that count.
  float largest() const noexcept {
    const Values counted = select(weights() > 0, magnitudes(), 0);
    return reduce_max(max(half(counted, 0), half(counted, 1)));
  }
};

/// The exponent at which the largest weight is among [4, 8) of the scale, where what is above 6 is
/// cut off.
inline unsigned fine_exponent(float largest) noexcept {
  const unsigned power = std::bit_cast<std::uint32_t>(largest) >> 23;
  return power < 2 ? 0 : power - 2;
}

/// At the next one, 4 times the scale is beyond binary32.
inline constexpr unsigned kMostExponent = 252;

/// One by the scale, 2^(127 - exponent).
inline float inverse_scale(unsigned exponent) noexcept {
  return std::bit_cast<float>((254 - exponent) << 23);
}

/// Whether there is less error at twice the scale.
SLUICE_INLINE bool coarse_is_better(const Source& block, unsigned exponent) noexcept {
  // What does not count may be far beyond the rest.
  const Values number = min(block.magnitudes() * inverse_scale(exponent), 8);
  const Values off = number - round_to_e2m1(number);
  const Values halved = number * 0.5f;
  const Values coarse_off = (halved - round_to_e2m1(halved)) * 2.0f;
  const Values more = block.weights() * (coarse_off * coarse_off - off * off);
  return reduce_sum(half(more, 0) + half(more, 1)) < 0;
}

/// The codes nearest to the values; zeros have no sign.
SLUICE_INLINE void find_codes(const float* values, unsigned exponent,
                              std::uint8_t* codes) noexcept {
  const Values value = Values::load(values);
  const Values twice = round_to_e2m1(abs(value) * inverse_scale(exponent)) * 2.0f;
  store_bytes(codes, select(value < 0, twice + 16, twice));
  constexpr Bytes<16> kNone = {};
  constexpr Bytes<16> kOne = kNone + 1;
  for (std::size_t i = 0; i < kBlock; i += 16) {
    Bytes<16> code;
    std::memcpy(&code, codes + i, sizeof code);
    const Bytes<16> t = code & 15;
    // 0, 1, 2, 3, 4, 6, 8 and 12 are numbered.
    const Bytes<16> number =
        t - (t > 4 ? kOne : kNone) - (t > 6 ? kOne : kNone) - (t > 8 ? kOne * 3 : kNone);
    code = t > 0 ? number | (code >> 4 << 3) : kNone;
    std::memcpy(codes + i, &code, sizeof code);
  }
}

/// The largest weight decides the exponent but for one bit; the one of less error is taken. Each
/// step is done for all blocks before the next, since one block's steps wait for each other.
inline constexpr std::size_t kBatch = 8;

inline void encode_batch(const std::array<Source, kBatch>& given, std::size_t count,
                         std::byte* out) noexcept {
  std::array<Source, kBatch> blocks = given;
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

}  // namespace mxfp4

void BlockMXFP4::encode(const EncodeRows& rows, std::byte* out) noexcept {
  using mxfp4::kBatch;
  const std::size_t in_row = rows.row_elements / kWeights;
  const std::size_t total = rows.rows * in_row;
  std::array<mxfp4::Source, kBatch> blocks;
  std::size_t column = 0;
  for (std::size_t first = 0; first < total; first += kBatch) {
    const std::size_t count = std::min(kBatch, total - first);
    for (std::size_t b = 0; b < count; ++b) {
      blocks[b] = {rows.values + (first + b) * kWeights,
                   rows.importance == nullptr ? nullptr : rows.importance + column * kWeights};
      if (++column == in_row) column = 0;
    }
    mxfp4::encode_batch(blocks, count, out + first * sizeof(BlockMXFP4));
  }
}

Codec codec_mxfp4() noexcept {
  return block_codec<BlockMXFP4>(TensorType::mxfp4);
}

}  // namespace sluice::inline SLUICE_ISA
