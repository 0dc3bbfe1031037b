#include "codec/i_quants/iq4_nl.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "codec/block_codec.h"
#include "codec/half.h"
#include "codec/i_quants/level_fit.h"
#include "codec/weighting.h"

namespace sluice::inline SLUICE_ISA {

namespace iq4_nl {

using simd::Floats;

inline constexpr std::size_t kBlock = BlockIq4Nl::kWeights;

/// One lane, one block.
inline constexpr std::size_t kBlocks = Floats::kLanes;
using Blocks = WeightedBlocks<kBlock>;
using Rows = LevelRows<BlockIq4Nl, kBlock>;

/// Lane l of rows[j] = values[kBlock * l + j].
inline void to_lanes(const float* values, std::array<Floats, kBlock>& rows) noexcept {
  float* const columns = reinterpret_cast<float*>(rows.data());
  for (std::size_t lane = 0; lane < kBlocks; lane += 4) {
    for (std::size_t j = 0; j < kBlock; j += 4) {
      simd::transpose_4x4(values + lane * kBlock + j, kBlock, columns + j * kBlocks + lane,
                          kBlocks);
    }
  }
}

/// The scale at which the largest weight meets the outermost level, times these, is tried: `trials`
/// steps from kLowest to kHighest.
inline constexpr float kLowest = 0.7f;
inline constexpr float kHighest = 1.2f;

/// More trials than 12, or a wider range, gain less than 0.1 % of the error.
constexpr int trials(Effort effort) noexcept {
  return effort == Effort::fast ? 5 : 12;
}

/// The best real-valued scale of each lane, of both signs, each refitted by least squares.
inline Floats best_scales(const Rows& rows, int trials) noexcept {
  Floats largest = 0;
  for (const Floats& row : rows.x()) largest = max(largest, abs(row));
  const Floats unit = select(largest > 0, Floats(-kIq4Levels[0]) / largest, 0);
  const float step = (kHighest - kLowest) / static_cast<float>(trials - 1);
  Floats best_gain = 0;  // error below that of coding zeros
  Floats best = 0;
  for (int trial = 0; trial < 2 * trials; ++trial) {
    const int of_both_signs = trial / 2;
    const float reach = kLowest + step * static_cast<float>(of_both_signs);
    const LevelFit found = rows.fit<false, true>(unit * (trial % 2 == 0 ? reach : -reach));
    const Floats scale = found.xy / found.yy;
    const Floats gain = scale * found.xy;
    const simd::FloatMask better = gain > best_gain;
    best_gain = select(better, gain, best_gain);
    best = select(better, scale, best);
  }
  return best;
}

/// The block that decodes to zeros. Codes of the smallest positive level make them +0.
inline BlockIq4Nl zeros() noexcept {
  constexpr unsigned kZeroCode = nearest_code(kIq4Levels, 0.0f);
  BlockIq4Nl block{};
  for (std::uint8_t& codes : block.codes) codes = kZeroCode | kZeroCode << 4;
  return block;
}

/// Each block's scale in fp16 and what it means for the scaled values.
struct Scales {
  std::array<std::uint16_t, kBlocks> stored{};
  Floats meaning = 0;
};

inline Scales round_scales(const Floats& wanted, const Blocks& blocks) noexcept {
  Scales scales;
  float meaning[kBlocks];
  for (std::size_t lane = 0; lane < kBlocks; ++lane) {
    const int exponent = blocks.exponent[lane];
    scales.stored[lane] = round_scale(wanted[lane], exponent);
    meaning[lane] = value_of_half(scales.stored[lane], exponent);
  }
  scales.meaning = Floats::load(meaning);
  return scales;
}

/// Writes `count` blocks, zeros where they are no worse or where the scale is 0.
inline void write_blocks(const Blocks& blocks, const Rows& rows, const Scales& scales,
                         std::size_t count, std::byte* out) noexcept {
  GainOverZeros gain;
  std::uint8_t codes[kBlock * kBlocks];
  rows.find_codes(Floats(1) / scales.meaning, 0, 1, blocks.q, codes, gain);
  std::uint8_t bytes[256];  // [byte of the block][lane], then turned
  for (std::size_t i = 0; i < sizeof bytes; ++i) {
    bytes[i] = static_cast<std::uint8_t>(codes[i] | codes[i + sizeof bytes] << 4);
  }
  simd::transpose_bytes(bytes);
  for (std::size_t lane = 0; lane < count; ++lane, out += sizeof(BlockIq4Nl)) {
    BlockIq4Nl block{scales.stored[lane], {}};
    std::memcpy(block.codes, &bytes[lane * sizeof(block.codes)], sizeof(block.codes));
    if (!gain.positive(lane, scales.meaning[lane])) block = zeros();
    std::memcpy(out, &block, sizeof(block));
  }
}

/// 16 blocks, a lane each.
inline void encode_batch(const float* values, const float* importance, std::size_t count,
                         Effort effort, std::byte* out) noexcept {
  Blocks blocks;
  to_lanes(values, blocks.x);
  if (importance != nullptr) to_lanes(importance, blocks.q);
  blocks.prepare<Share::none>(importance != nullptr);

  const Rows rows(blocks.x, blocks.w);
  Floats wanted = best_scales(rows, trials(effort));
  // Codes are searched again at each refitted scale, always one that fp16 has.
  constexpr int kRounds = 3;
  Floats best_error = 0;
  Scales best;
  for (int round = 0; round < kRounds; ++round) {
    const Scales scales = round_scales(wanted, blocks);
    const Floats& scale = scales.meaning;
    const LevelFit found = rows.fit<false, false>(Floats(1) / scale);
    const Floats error = scale * (scale * found.yy - found.xy * 2);
    for (std::size_t lane = 0; lane < kBlocks; ++lane) {
      if (error[lane] < best_error[lane]) best.stored[lane] = scales.stored[lane];
    }
    const simd::FloatMask better = error < best_error;
    best_error = select(better, error, best_error);
    best.meaning = select(better, scale, best.meaning);
    wanted = select(found.yy > 0, found.xy / found.yy, 0);
  }
  write_blocks(blocks, rows, best, count, out);
}

}  // namespace iq4_nl

void BlockIq4Nl::encode(const EncodeRows& rows, std::byte* out) noexcept {
  using iq4_nl::kBlock;
  using iq4_nl::kBlocks;
  const std::size_t row_blocks = rows.row_elements / kBlock;
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const float* values = rows.values + row * rows.row_elements;
    for (std::size_t start = 0; start < row_blocks; start += kBlocks, values += kBlocks * kBlock) {
      const std::size_t count = std::min(kBlocks, row_blocks - start);
      const float* importance =
          rows.importance == nullptr ? nullptr : rows.importance + kBlock * start;
      if (count == kBlocks) {
        iq4_nl::encode_batch(values, importance, count, rows.effort, out);
      } else {  // the last of the row: lanes without a block hold zeros
        std::array<float, kBlocks * kBlock> padded{};
        std::array<float, kBlocks * kBlock> padded_importance{};
        std::copy_n(values, count * kBlock, padded.data());
        if (importance != nullptr) {
          std::copy_n(importance, count * kBlock, padded_importance.data());
        }
        iq4_nl::encode_batch(padded.data(),
                             importance == nullptr ? nullptr : padded_importance.data(), count,
                             rows.effort, out);
      }
      out += count * sizeof(BlockIq4Nl);
    }
  }
}

Codec codec_iq4_nl() noexcept {
  return block_codec<BlockIq4Nl>(TensorType::iq4_nl);
}

}  // namespace sluice::inline SLUICE_ISA
