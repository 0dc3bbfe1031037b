#include "codec/floats/nvfp4.h"

#include <algorithm>
#include <cstring>

#include "codec/block_codec.h"
#include "codec/tile.h"
#include "codec/weighting.h"

namespace sluice::inline SLUICE_ISA {

namespace nvfp4 {

using simd::Ints;

inline constexpr std::size_t kSubBlock = BlockNVFP4::kSubBlock;
inline constexpr std::size_t kBlocks = kColumns * kSubBlock / BlockNVFP4::kWeights;

/// Sub-blocks, a lane each.
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

/// What the codes nearest to the weights cost.
SLUICE_INLINE FloatPart cost_at(const SubBlocks& blocks, const Magnitudes& magnitudes,
                                const FloatPart& scale, std::size_t part) noexcept {
  const FloatPart inverse = reciprocal_or_zero(scale);
  FloatPart cost = 0;
#pragma GCC unroll 16
  for (std::size_t j = 0; j < kSubBlock; ++j) {
    const FloatPart x = part_of(magnitudes[j], part);
    const FloatPart off = distance(x, round_to_e2m1(x * inverse), scale);
    cost += part_of(blocks.q[j], part) * (off * off);
  }
  return cost;
}

inline Ints best_scales(const SubBlocks& blocks, Effort effort) noexcept {
  const Ints middle = code_below(blocks.block_largest / 6);
  const Window around = window(effort);
  Magnitudes magnitudes;
  for (std::size_t j = 0; j < kSubBlock; ++j) magnitudes[j] = abs(blocks.x[j]);
  Ints best = middle;
  Floats least = 0x1p120f;
  for (int step = -around.below; step <= around.above; ++step) {
    const Ints code = min(max(middle + step, 0), kMostScale);
    const Floats scale = in_units(scale_of(code), blocks.exponent);
    Floats cost;
    for (std::size_t p = 0; p < kTileParts; ++p) {
      set_part(cost, p, cost_at(blocks, magnitudes, part_of(scale, p), p));
    }
    const simd::FloatMask better = cost < least;
    best = select(better, code, best);
    least = select(better, cost, least);
  }
  return best;
}

inline void write_blocks(const SubBlocks& sub_blocks, const Ints& scales,
                         BlockNVFP4* out) noexcept {
  const Floats scale = in_units(scale_of(scales), sub_blocks.exponent);
  const Floats inverse = reciprocal_or_zero(scale);
  std::uint8_t codes[kSubBlock * kColumns];  // [weight][sub-block], then turned
  for (std::size_t j = 0; j < kSubBlock; ++j) {
    const Floats& x = sub_blocks.x[j];
    store_bytes(codes + j * kColumns, codes_of(round_to_e2m1(abs(x) * inverse), x));
  }
  simd::transpose_bytes(codes);
  std::uint8_t scale_codes[kColumns];
  store_bytes(scale_codes, scales);
  for (std::size_t b = 0; b < kBlocks; ++b) {
    BlockNVFP4& block = out[b];
    std::memcpy(block.scales, scale_codes + 4 * b, sizeof block.scales);
    pack_nibbles<8>(codes + b * BlockNVFP4::kWeights, block.codes, BlockNVFP4::kWeights);
  }
}

}  // namespace nvfp4

/// All scales that may be the best are tried with the codes nearest to the weights.
void BlockNVFP4::encode(const EncodeRows& rows, std::byte* out) noexcept {
  using nvfp4::kBlocks;
  const std::size_t in_row = rows.row_elements / kSubBlock;
  const std::size_t total = rows.rows * in_row;
  const bool important = rows.importance != nullptr;
  std::size_t column = 0;
  for (std::size_t first = 0; first < total; first += kColumns) {
    const std::size_t used = std::min<std::size_t>(kColumns, total - first);
    const float* values[kColumns];
    const float* importance[kColumns];
    for (std::size_t c = 0; c < kColumns; ++c) {
      values[c] = rows.values + (first + (c < used ? c : 0)) * kSubBlock;
      importance[c] = important ? rows.importance + column * kSubBlock : nullptr;
      if (++column == in_row) column = 0;
    }
    nvfp4::SubBlocks sub_blocks;
    load_columns(values, sub_blocks.x);
    if (important) load_columns(importance, sub_blocks.q);
    sub_blocks.normalize<Share::none>(important);
    for (Floats& q : sub_blocks.q) q = max(q, 0x1p-40f);
    BlockNVFP4 blocks[kBlocks];
    nvfp4::write_blocks(sub_blocks, nvfp4::best_scales(sub_blocks, rows.effort), blocks);
    std::memcpy(out, blocks, used / 4 * sizeof(BlockNVFP4));
    out += used / 4 * sizeof(BlockNVFP4);
  }
}

Codec codec_nvfp4() noexcept {
  return block_codec<BlockNVFP4>(TensorType::nvfp4);
}

}  // namespace sluice::inline SLUICE_ISA
