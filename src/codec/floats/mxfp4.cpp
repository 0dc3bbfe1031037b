#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>

#include "codec/block_codec.h"
#include "codec/floats/e2m1.h"
#include "codec/largest_of_blocks.h"

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
using simd::Ints;
using Values = simd::Lanes<float, kBlock>;

/// Blocks that lie one after the other, a lane each; steps are done for all of them before the
/// next, since one block's steps wait for each other.
inline constexpr std::size_t kBatch = kColumns;

/// Importance of a batch's blocks, and of all batches of the same columns.
struct Importance {
  std::array<const float*, kBatch> of_block{};  ///< null: all of a block's weights count the same
  std::array<float, kBatch> sum;                ///< of a block
  bool everywhere = true;                       ///< no weight is without

  /// \param column  the first block's, in blocks
  Importance(const EncodeRows& rows, std::size_t column) noexcept {
    sum.fill(kBlock);
    if (rows.importance == nullptr) return;
    Values least = 1;
    for (std::size_t b = 0; b < kBatch; ++b) {
      of_block[b] = rows.importance + column * kBlock;
      const auto weights = Values::load(of_block[b]);
      sum[b] = reduce_sum(half(weights, 0) + half(weights, 1));
      least = min(least, weights);
      if (++column * kBlock == rows.row_elements) column = 0;
    }
    everywhere = reduce_min(min(half(least, 0), half(least, 1))) > 0;
  }
};

/// The largest magnitude of one block's weights that count. If none does, all do.
inline float largest_that_counts(const float* values, const float*& importance) noexcept {
  if (importance != nullptr) {
    const Values counted = select(Values::load(importance) > 0, abs(Values::load(values)), 0);
    const float largest = reduce_max(max(half(counted, 0), half(counted, 1)));
    if (largest > 0) return largest;
    importance = nullptr;
  }
  return largest_magnitude(values, kBlock);
}

/// At the next one, 4 times the scale is beyond binary32.
inline constexpr int kMostExponent = 252;

/// One by the scale, 2^(127 - exponent).
SLUICE_INLINE Floats inverse_scales(const Ints& exponents) noexcept {
  return simd::bits_of<Floats>(simd::shift_left<23>(Ints(254) - exponents));
}

SLUICE_INLINE Values weights_of(const float* importance) noexcept {
  return importance == nullptr ? Values(1) : Values::load(importance);
}

/// By how much the error is more at twice the scale.
inline float more_error(const float* values, const float* importance, float inverse) noexcept {
  // What does not count may be far beyond the rest.
  const Values number = min(abs(Values::load(values)) * inverse, 8);
  const Values off = number - round_to_e2m1(number);
  const Values halved = number * 0.5f;
  const Values coarse_off = (halved - round_to_e2m1(halved)) * 2.0f;
  const Values more = weights_of(importance) * (coarse_off * coarse_off - off * off);
  return reduce_sum(half(more, 0) + half(more, 1));
}

/// The same with half of the operations, and other roundings: a number's part is f - 1/4 below 2,
/// where it is f > 1/4 off the next integer, 4 (7 - number) beyond 7, and else nothing.
/// \pre all numbers are below 8
SLUICE_INLINE float about_more_error(const float* values, const float* importance, float inverse,
                                     float importance_sum) noexcept {
  const Values number = abs(Values::load(values)) * inverse;
  const Values low = min(number, 2);
  const Values weights = weights_of(importance);
  const Values part = weights * max(abs(low - round(low)), 0.25f) - weights * max(number, 7) * 4.0f;
  return reduce_sum(half(part, 0) + half(part, 1)) + importance_sum * 27.75f;
}

/// Whether there is less error at twice the scale. Not where none is beyond 7 of the scale: the
/// coarser numbers up to there are among the finer ones.
SLUICE_INLINE bool coarse_is_better(const float* values, const float* importance, float inverse,
                                    float importance_sum, bool plain) noexcept {
  if (plain) {
    // Each of a few dozen roundings is of at most 32 of the sum.
    const float about = about_more_error(values, importance, inverse, importance_sum);
    if (importance_sum > 0x1p-80f && std::fabs(about) > importance_sum * 0x1p-14f) return about < 0;
  }
  return more_error(values, importance, inverse) < 0;
}

/// What does not count comes near to the rest.
inline const float* within_reach(const float* values, float inverse, float* copy) noexcept {
  const float bound = 7 / inverse;
  clamp(Values::load(values), -bound, bound).store(copy);
  return copy;
}

template <typename Do>
SLUICE_INLINE void for_each_lane(const simd::FloatMask& mask, const Do& do_lane) noexcept {
  for (unsigned bits = simd::Machine::to_bits(mask.part); bits != 0; bits &= bits - 1) {
    do_lane(static_cast<std::size_t>(std::countr_zero(bits)));
  }
}

/// The largest weight decides the exponent but for one bit; the one of less error is taken.
/// \param used  blocks, kBatch or fewer
inline void encode_batch(const float* values, Importance importance, std::size_t used,
                         std::byte* out) noexcept {
  const bool plain = importance.everywhere && used == kBatch;
  alignas(64) float largest_at[kBatch] = {};
  if (plain) {
    largest_of_blocks<kBlock>(values).store(largest_at);
  } else {
    for (std::size_t b = 0; b < used; ++b) {
      largest_at[b] = largest_that_counts(values + b * kBlock, importance.of_block[b]);
    }
  }

  // At this exponent the largest is among [4, 8) of the scale, and what is above 6 is cut off.
  const auto largest = Floats::load(largest_at);
  Ints exponents = max(simd::shift_right<23>(simd::bits_of<Ints>(largest)) - 2, 0);
  Floats inverse = inverse_scales(exponents);
  alignas(64) float inverse_at[kBatch];
  inverse.store(inverse_at);
  const simd::FloatMask beyond = largest * inverse >= Floats(7);
  alignas(64) std::int32_t higher[kBatch] = {};
  for_each_lane(beyond, [&](std::size_t b) noexcept {
    higher[b] = coarse_is_better(values + b * kBlock, importance.of_block[b], inverse_at[b],
                                 importance.sum[b], plain);
  });
  // Zeros have the largest exponent; by their last one's sign, the least.
  for_each_lane(largest <= Floats(0), [&](std::size_t b) noexcept {
    const bool negative = b < used && std::signbit(values[b * kBlock + kBlock - 1]);
    higher[b] = negative ? 0 : kMostExponent;
  });
  exponents = min(exponents + Ints::load(higher), kMostExponent);
  inverse_scales(exponents).store(inverse_at);
  std::uint8_t exponent_at[kBatch];
  store_bytes(exponent_at, exponents);

  for (std::size_t b = 0; b < used; ++b, values += kBlock, out += sizeof(BlockMXFP4)) {
    float copy[kBlock];
    const float* const near = plain ? values : within_reach(values, inverse_at[b], copy);
    BlockMXFP4 block;
    block.exponent = exponent_at[b];
    store_e2m1(near, inverse_at[b], block.codes);
    std::memcpy(out, &block, sizeof block);
  }
}

}  // namespace mxfp4

/// Batches of the same columns follow each other, so that their importance is looked at once.
void BlockMXFP4::encode(const EncodeRows& rows, std::byte* out) noexcept {
  using mxfp4::kBatch;
  const std::size_t in_row = rows.row_elements / kWeights;
  const std::size_t total = rows.rows * in_row;
  const std::size_t period = std::lcm(in_row, kBatch);
  for (std::size_t start = 0; start < std::min(period, total); start += kBatch) {
    const mxfp4::Importance importance(rows, start % in_row);
    for (std::size_t first = start; first < total; first += period) {
      mxfp4::encode_batch(rows.values + first * kWeights, importance,
                          std::min(kBatch, total - first), out + first * sizeof(BlockMXFP4));
    }
  }
}

Codec codec_mxfp4() noexcept {
  return block_codec<BlockMXFP4>(TensorType::mxfp4);
}

}  // namespace sluice::inline SLUICE_ISA
