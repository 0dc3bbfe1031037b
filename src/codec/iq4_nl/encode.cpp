#include <algorithm>
#include <array>
#include <cstring>

#include "codec/iq4_nl/block.h"
#include "codec/iq4_nl/iq4_nl.h"
#include "codec/lattice/nearest_level.h"
#include "codec/lattice/weighting.h"

namespace sluice::inline SLUICE_ISA {
namespace {

constexpr std::size_t kBlock = 32;
constexpr std::size_t kTable = 0;  // IQ4_NL has the levels that IQ4_K calls not shifted

struct Scales {
  Lanes scale{};
  Lanes gain{};  // error below that of coding zeros
};

/// The best real-valued scale of each lane: the scale at which the largest weight meets the
/// outermost level, times kLowest to kHighest, of both signs, each refitted by least squares.
Scales best_scales(const LaneBlocks<kBlock>& blocks) noexcept {
  // More trials, or a wider range, gain about 0.1 % of the error.
  constexpr int kTrials = 16;
  constexpr float kLowest = 0.7f;
  constexpr float kHighest = 1.2f;
  const Lanes largest = largest_magnitudes(blocks);
  Scales best;
  for (int trial = 0; trial < 2 * kTrials; ++trial) {
    const float step = (kHighest - kLowest) / (kTrials - 1);
    const float reach = -kIq4Levels[0] * (kLowest + step * static_cast<float>(trial / 2));
    Lanes inverse;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      inverse[lane] = largest[lane] > 0 ? (trial % 2 == 0 ? reach : -reach) / largest[lane] : 0.0f;
    }
    const LevelFit fit = fit_levels<kIq4kLevels, kTable>(blocks, inverse);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float scale = fit.xy[lane] / fit.yy[lane];
      const float gain = scale * fit.xy[lane];
      const bool better = gain > best.gain[lane];
      best.gain[lane] = better ? gain : best.gain[lane];
      best.scale[lane] = better ? scale : best.scale[lane];
    }
  }
  return best;
}

/// The block that decodes to zeros. Codes of the smallest positive level make them +0.
BlockIq4Nl zeros() noexcept {
  constexpr unsigned kZeroCode = nearest_code(kIq4Levels, 0.0f);
  BlockIq4Nl block{};
  for (std::uint8_t& codes : block.codes) codes = kZeroCode | kZeroCode << 4;
  return block;
}

/// The block for a scale other than 0, or zeros where it is no better than they.
BlockIq4Nl make_block(const WeightedBlock<kBlock>& weighted, std::uint16_t d) noexcept {
  BlockIq4Nl block{d, {}};
  const float scale = weighted.stored_scale(d);
  const float inverse = 1 / scale;
  double error = 0;
  double error_of_zeros = 0;
  for (std::size_t j = 0; j < kBlock; ++j) {
    const unsigned code = nearest_code(kIq4Levels, weighted.x[j] * inverse);
    block.codes[j % 16] |= static_cast<std::uint8_t>(code << (j < 16 ? 0 : 4));
    const double x = weighted.x[j];
    const double off = x - double{scale} * kIq4Levels[code];
    error += weighted.q[j] * off * off;
    error_of_zeros += weighted.q[j] * x * x;
  }
  return error < error_of_zeros ? block : zeros();
}

/// Up to 16 blocks, a lane each.
void encode_blocks(const float* values, const float* importance, std::size_t count,
                   std::byte* out) noexcept {
  std::array<WeightedBlock<kBlock>, kLanes> weighted;
  LaneBlocks<kBlock> blocks{};
  for (Lanes& w : blocks.w) w.fill(1.0f);  // lanes without a block must not divide by zero
  for (std::size_t lane = 0; lane < count; ++lane) {
    weighted[lane].load<kBlock>(values + kBlock * lane,
                                importance == nullptr ? nullptr : importance + kBlock * lane);
    for (std::size_t j = 0; !weighted[lane].zero && j < kBlock; ++j) {
      blocks.x[j][lane] = weighted[lane].x[j];
      blocks.w[j][lane] = weighted[lane].w[j];
    }
  }

  Lanes wanted = best_scales(blocks).scale;
  // Codes are searched again at each refitted scale, always one that fp16 has.
  constexpr int kRounds = 3;
  Lanes best_error{};
  std::array<std::uint16_t, kLanes> best_d{};
  for (int round = 0; round < kRounds; ++round) {
    std::array<std::uint16_t, kLanes> d{};
    Lanes inverse{};
    for (std::size_t lane = 0; lane < count; ++lane) {
      d[lane] = weighted[lane].round_scale(wanted[lane]);
      inverse[lane] = 1 / weighted[lane].stored_scale(d[lane]);
    }
    const LevelFit fit = fit_levels<kIq4kLevels, kTable>(blocks, inverse);
    for (std::size_t lane = 0; lane < count; ++lane) {
      const float scale = weighted[lane].stored_scale(d[lane]);
      const float error = scale * (scale * fit.yy[lane] - 2 * fit.xy[lane]);
      const bool better = error < best_error[lane];
      best_error[lane] = better ? error : best_error[lane];
      best_d[lane] = better ? d[lane] : best_d[lane];
      wanted[lane] = fit.yy[lane] > 0 ? fit.xy[lane] / fit.yy[lane] : 0.0f;
    }
  }
  for (std::size_t lane = 0; lane < count; ++lane, out += sizeof(BlockIq4Nl)) {
    const BlockIq4Nl block = best_d[lane] == 0 ? zeros() : make_block(weighted[lane], best_d[lane]);
    std::memcpy(out, &block, sizeof(block));
  }
}

}  // namespace

void encode_iq4_nl(const EncodeRows& rows, std::byte* out) noexcept {
  const std::size_t row_blocks = rows.row_elements / kBlock;
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const float* values = rows.values + row * rows.row_elements;
    for (std::size_t start = 0; start < row_blocks; start += kLanes) {
      const std::size_t count = std::min(kLanes, row_blocks - start);
      encode_blocks(values + kBlock * start,
                    rows.importance == nullptr ? nullptr : rows.importance + kBlock * start, count,
                    out);
      out += count * sizeof(BlockIq4Nl);
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
