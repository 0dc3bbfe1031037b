#include "codec/floats/nvfp4.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "codec/block_codec.h"
#include "codec/tile.h"
#include "codec/weighting.h"

namespace sluice::inline SLUICE_ISA {

namespace nvfp4 {

using simd::Ints;

inline constexpr std::size_t kSubBlock = BlockNVFP4::kSubBlock;
inline constexpr std::size_t kBlocks = kColumns * kSubBlock / BlockNVFP4::kWeights;

/// Sub-blocks, a lane each.
/// w is what errors count.
using SubBlocks = WeightedBlocks<kSubBlock>;

/// Scale codes are tried from so many below the one at which the largest weight is 6, rounded down,
/// to so many above. At 4 to 6 above it is 4, beside which codes are closer.
struct Window {
  int below;
  int above;
};
constexpr Window window(Effort effort) noexcept {
  return effort == Effort::fast ? Window{1, 3} : Window{3, 8};
}

/// The largest code whose scale is at most `numbers`, or kMostScale.
inline Ints code_below(const Floats& numbers) noexcept {
  const Ints normal = simd::shift_right<20>(simd::bits_of<Ints>(numbers)) - (120 << 3);
  const Ints denormal = to_ints(min(numbers, 1) * 0x1p9f);
  return min(select(numbers < 0x1p-6f, denormal, normal), kMostScale);
}

/// Scales in units of the lanes. An exponent beyond these is of weights that are zero beside the
/// smallest scale, or cut off at the largest.
inline Floats in_units(const Floats& scales, const Ints& exponent) noexcept {
  const Ints power = simd::shift_left<23>(Ints(127) - max(min(exponent, 126), -100));
  return scales * simd::bits_of<Floats>(power);
}

using Magnitudes = std::array<Floats, kSubBlock>;

/// x - level * scale, whose product is exact: six bits. So it may be fused where that is one instruction.
SLUICE_INLINE FloatPart distance(const FloatPart& x, const FloatPart& level,
                                 const FloatPart& scale) noexcept {
#if defined(__FP_FAST_FMAF)
  return fused_multiply_add(-level, scale, x);
#else
  return x - level * scale;
#endif
}

/// Scales that are tried side by side: so many costs are in registers at once.
inline constexpr int kTogether = 3;
using Scales = std::array<FloatPart, kTogether>;

/// What the codes nearest to the weights cost at each scale.
SLUICE_INLINE Scales costs_at(const SubBlocks& blocks, const Magnitudes& magnitudes,
                              const Scales& scales, std::size_t part) noexcept {
  Scales inverse;
  for (std::size_t k = 0; k < kTogether; ++k) inverse[k] = reciprocal_or_zero(scales[k]);
  Scales costs;
  costs.fill(0);
#pragma GCC unroll 2
  for (std::size_t j = 0; j < kSubBlock; ++j) {
    const FloatPart x = part_of(magnitudes[j], part);
    const FloatPart weight = part_of(blocks.w[j], part);
#pragma GCC unroll 4
    for (std::size_t k = 0; k < kTogether; ++k) {
      const FloatPart off = distance(x, round_to_e2m1(x * inverse[k]), scales[k]);
      costs[k] += weight * (off * off);
    }
  }
  return costs;
}

inline Ints best_scales(const SubBlocks& blocks, Effort effort) noexcept {
  const Ints middle = code_below(blocks.block_largest / 6);
  const Window around = window(effort);
  Magnitudes magnitudes;
  for (std::size_t j = 0; j < kSubBlock; ++j) magnitudes[j] = abs(blocks.x[j]);
  Ints best = middle;
  Floats least = 0x1p120f;
  for (int step = -around.below; step <= around.above; step += kTogether) {
    Ints codes[kTogether];
    Floats scales[kTogether];
    for (int k = 0; k < kTogether; ++k) {
      const int away = std::min(step + k, around.above);
      codes[k] = min(max(middle + away, 0), kMostScale);
      scales[k] = in_units(scale_of(codes[k]), blocks.exponent);
    }
    Floats costs[kTogether];
    for (std::size_t p = 0; p < kTileParts; ++p) {
      Scales of_part;
      for (std::size_t k = 0; k < kTogether; ++k) of_part[k] = part_of(scales[k], p);
      of_part = costs_at(blocks, magnitudes, of_part, p);
      for (std::size_t k = 0; k < kTogether; ++k) set_part(costs[k], p, of_part[k]);
    }
    for (std::size_t k = 0; k < kTogether; ++k) {
      const simd::FloatMask better = costs[k] < least;
      best = select(better, codes[k], best);
      least = select(better, costs[k], least);
    }
  }
  return best;
}

#if defined(SLUICE_E2M1_TABLES)

/// Rows first to first + 3 of a sub-block's codes, from the lowest byte on.
SLUICE_INLINE Ints four_codes(const SubBlocks& sub_blocks, const Floats& inverse,
                              std::size_t first) noexcept {
  Ints sums[4];
  for (std::size_t i = 0; i < 4; ++i) {
    const Floats number = clamp(sub_blocks.x[first + i] * inverse, -7, 7);
    sums[i] = simd::bits_of<Ints>(number + e2m1_steps(number + 24));
  }
  // The lower halves are bytes.
  const Ints even = (sums[0] & 0xffff) | simd::shift_left<16>(sums[2]);
  const Ints odd = (sums[1] & 0xffff) | simd::shift_left<16>(sums[3]);
  using Entries = simd::Machine::Register<std::uint8_t>;
  Ints codes = even | simd::shift_left<8>(odd);
  for (Ints::Register& part : codes.part) {
    part = (Ints::Register)simd::Machine::shuffle_bytes(kE2M1Codes, (Entries)part);
  }
  return codes;
}

inline void pack_codes(const SubBlocks& sub_blocks, const Floats& inverse,
                       BlockNVFP4* out) noexcept {
  Floats bytes[2];  // four of each sub-block
  for (std::size_t i = 0; i < 2; ++i) {
    const Ints high = four_codes(sub_blocks, inverse, 4 * i + 8);
    bytes[i] =
        simd::bits_of<Floats>(four_codes(sub_blocks, inverse, 4 * i) | simd::shift_left<4>(high));
  }
  const auto packed = interleave(bytes[0], bytes[1]);
  float in_order[2 * kColumns];
  packed.store(in_order);
  for (std::size_t b = 0; b < kBlocks; ++b) {
    std::memcpy(out[b].codes, in_order + 8 * b, sizeof out[b].codes);
  }
}

#else

inline void pack_codes(const SubBlocks& sub_blocks, const Floats& inverse,
                       BlockNVFP4* out) noexcept {
  std::uint8_t codes[kSubBlock * kColumns];  // [weight][sub-block], then turned
  for (std::size_t j = 0; j < kSubBlock; ++j) {
    const Floats& x = sub_blocks.x[j];
    store_bytes(codes + j * kColumns, codes_of(round_to_e2m1(abs(x) * inverse), x));
  }
  simd::transpose_bytes(codes);
  for (std::size_t b = 0; b < kBlocks; ++b) {
    pack_nibbles<8>(codes + b * BlockNVFP4::kWeights, out[b].codes, BlockNVFP4::kWeights);
  }
}

#endif

inline void write_blocks(const SubBlocks& sub_blocks, const Ints& scales,
                         BlockNVFP4* out) noexcept {
  const Floats scale = in_units(scale_of(scales), sub_blocks.exponent);
  pack_codes(sub_blocks, reciprocal_or_zero(scale), out);
  std::uint8_t scale_codes[kColumns];
  store_bytes(scale_codes, scales);
  for (std::size_t b = 0; b < kBlocks; ++b) {
    std::memcpy(out[b].scales, scale_codes + 4 * b, sizeof out[b].scales);
  }
}

/// \param column  the first sub-block's, in sub-blocks
inline void set_importance(const EncodeRows& rows, std::size_t column,
                           SubBlocks& sub_blocks) noexcept {
  const bool important = rows.importance != nullptr;
  if (important) {
    const float* importance[kColumns];
    for (const float*& from : importance) {
      from = rows.importance + column * kSubBlock;
      if (++column * kSubBlock == rows.row_elements) column = 0;
    }
    load_columns(importance, sub_blocks.q);
  }
  sub_blocks.normalize_importance<Share::none>(important);
  for (std::size_t j = 0; j < kSubBlock; ++j) sub_blocks.w[j] = max(sub_blocks.q[j], 0x1p-40f);
}

}  // namespace nvfp4

/// All scales that may be the best are tried with the codes nearest to the weights. Tiles of the same
/// columns follow each other, so that their importance is made ready once.
void BlockNVFP4::encode(const EncodeRows& rows, std::byte* out) noexcept {
  using nvfp4::kBlocks;
  const std::size_t in_row = rows.row_elements / kSubBlock;
  const std::size_t total = rows.rows * in_row;
  const std::size_t period = std::lcm(in_row, std::size_t{kColumns});
  nvfp4::SubBlocks sub_blocks;
  for (std::size_t start = 0; start < std::min(period, total); start += kColumns) {
    nvfp4::set_importance(rows, start % in_row, sub_blocks);
    for (std::size_t first = start; first < total; first += period) {
      const std::size_t used = std::min<std::size_t>(kColumns, total - first);
      const float* values[kColumns];
      for (std::size_t c = 0; c < kColumns; ++c) {
        values[c] = rows.values + (first + (c < used ? c : 0)) * kSubBlock;
      }
      load_columns(values, sub_blocks.x);
      sub_blocks.normalize_values<Share::none>();
      BlockNVFP4 blocks[kBlocks];
      nvfp4::write_blocks(sub_blocks, nvfp4::best_scales(sub_blocks, rows.effort), blocks);
      std::memcpy(out + first / 4 * sizeof(BlockNVFP4), blocks, used / 4 * sizeof(BlockNVFP4));
    }
  }
}

Codec codec_nvfp4() noexcept {
  return block_codec<BlockNVFP4>(TensorType::nvfp4);
}

}  // namespace sluice::inline SLUICE_ISA
