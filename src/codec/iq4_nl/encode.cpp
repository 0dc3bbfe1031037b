#include <algorithm>
#include <array>
#include <cstring>

#include "codec/iq4_nl/block.h"
#include "codec/iq4_nl/iq4_nl.h"
#include "codec/lattice/nearest_level.h"
#include "codec/lattice/transpose_bytes.h"
#include "codec/lattice/weighting.h"

namespace sluice::inline SLUICE_ISA {
namespace {

constexpr std::size_t kBlock = 32;
using Nearest = NearestLevel<kIq4Levels>;

/// One lane, one block.
using Blocks = WeightedLanes<kBlock>;

/// The scale at which the largest weight meets the outermost level, times these, is tried: `trials`
/// steps from kLowest to kHighest.
constexpr float kLowest = 0.7f;
constexpr float kHighest = 1.2f;

/// More trials than 12, or a wider range, gain less than 0.1 % of the error.
constexpr int trials(Effort effort) noexcept {
  return effort == Effort::fast ? 5 : 12;
}

/// The best real-valued scale of each lane, of both signs, each refitted by least squares.
Lanes best_scales(const Blocks& blocks, int trials) noexcept {
  Lanes largest = 0;
  for (const Lanes& row : blocks.x) largest = greater(largest, magnitude(row));
  const Lanes unit = select(largest > 0, Lanes(-kIq4Levels[0]) / largest, 0);
  const float step = (kHighest - kLowest) / static_cast<float>(trials - 1);
  Lanes best_gain = 0;  // error below that of coding zeros
  Lanes best = 0;
  for (int trial = 0; trial < 2 * trials; ++trial) {
    const float reach = kLowest + step * static_cast<float>(trial / 2);
    const LevelFit fit =
        fit_levels<kIq4Levels>(blocks.x, blocks.w, unit * (trial % 2 == 0 ? reach : -reach));
    const Lanes scale = fit.xy / fit.yy;
    const Lanes gain = scale * fit.xy;
    const LaneMask better = gain > best_gain;
    best_gain = select(better, gain, best_gain);
    best = select(better, scale, best);
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

/// A block's scale in fp16 and what it means for the scaled values.
struct Scales {
  std::array<std::uint16_t, kLanes> stored{};
  Lanes meaning = 0;
};

Scales round_scales(const Lanes& wanted, const Blocks& blocks) noexcept {
  Scales scales;
  std::array<float, kLanes> meaning;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const int exponent = blocks.exponent[lane];
    scales.stored[lane] = round_scale(wanted[lane], exponent);
    meaning[lane] = stored_scale(scales.stored[lane], exponent);
  }
  scales.meaning = Lanes::load(meaning.data());
  return scales;
}

/// Writes `count` blocks, zeros where they are no worse or where the scale is 0.
void write_blocks(const Blocks& blocks, const Scales& scales, std::size_t count,
                  std::byte* out) noexcept {
  GainOverZeros gain;
  std::array<std::uint8_t, 256> bytes;  // [byte of the block][lane], then turned
  const Lanes inverse = Lanes(1) / scales.meaning;
  const auto code = [&](std::size_t j) noexcept {
    Lanes level;
    std::array<std::int32_t, kLanes> codes;
    for (std::size_t r = 0; r < kRegisters; ++r) {
      const IntRegister nearest = Nearest::codes(blocks.x[j].part[r] * inverse.part[r]);
      level.part[r] = Nearest::levels(nearest);
      std::memcpy(&codes[r * kRegisterLanes], &nearest, sizeof(nearest));
    }
    gain.add(blocks.x[j], blocks.q[j], level);
    return codes;
  };
  for (std::size_t j = 0; j < kBlock / 2; ++j) {
    const std::array<std::int32_t, kLanes> low = code(j);
    const std::array<std::int32_t, kLanes> high = code(j + kBlock / 2);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      bytes[j * kLanes + lane] = static_cast<std::uint8_t>(low[lane] | high[lane] << 4);
    }
  }
  transpose_bytes(bytes);
  for (std::size_t lane = 0; lane < count; ++lane, out += sizeof(BlockIq4Nl)) {
    BlockIq4Nl block{scales.stored[lane], {}};
    std::memcpy(block.codes, &bytes[lane * sizeof(block.codes)], sizeof(block.codes));
    if (!gain.positive(lane, scales.meaning[lane])) block = zeros();
    std::memcpy(out, &block, sizeof(block));
  }
}

/// 16 blocks, a lane each.
void encode_blocks(const float* values, const float* importance, std::size_t count, Effort effort,
                   std::byte* out) noexcept {
  Blocks blocks;
  to_lanes(values, blocks.x);
  if (importance != nullptr) to_lanes(importance, blocks.q);
  blocks.prepare<Share::none>(importance != nullptr);

  Lanes wanted = best_scales(blocks, trials(effort));
  // Codes are searched again at each refitted scale, always one that fp16 has.
  constexpr int kRounds = 3;
  Lanes best_error = 0;
  Scales best;
  for (int round = 0; round < kRounds; ++round) {
    const Scales scales = round_scales(wanted, blocks);
    const Lanes& scale = scales.meaning;
    const LevelFit fit = fit_levels<kIq4Levels>(blocks.x, blocks.w, Lanes(1) / scale);
    const Lanes error = scale * (scale * fit.yy - fit.xy * 2);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      if (error[lane] < best_error[lane]) best.stored[lane] = scales.stored[lane];
    }
    const LaneMask better = error < best_error;
    best_error = select(better, error, best_error);
    best.meaning = select(better, scale, best.meaning);
    wanted = select(fit.yy > 0, fit.xy / fit.yy, 0);
  }
  write_blocks(blocks, best, count, out);
}

}  // namespace

void encode_iq4_nl(const EncodeRows& rows, std::byte* out) noexcept {
  const std::size_t row_blocks = rows.row_elements / kBlock;
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const float* values = rows.values + row * rows.row_elements;
    for (std::size_t start = 0; start < row_blocks; start += kLanes, values += kLanes * kBlock) {
      const std::size_t count = std::min(kLanes, row_blocks - start);
      const float* importance =
          rows.importance == nullptr ? nullptr : rows.importance + kBlock * start;
      if (count == kLanes) {
        encode_blocks(values, importance, count, rows.effort, out);
      } else {  // the last of the row: lanes without a block hold zeros
        std::array<float, kLanes * kBlock> padded{};
        std::array<float, kLanes * kBlock> padded_importance{};
        std::copy_n(values, count * kBlock, padded.data());
        if (importance != nullptr) {
          std::copy_n(importance, count * kBlock, padded_importance.data());
        }
        encode_blocks(padded.data(), importance == nullptr ? nullptr : padded_importance.data(),
                      count, rows.effort, out);
      }
      out += count * sizeof(BlockIq4Nl);
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
