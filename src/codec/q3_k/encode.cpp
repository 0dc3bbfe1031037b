#include <cstring>

#include "codec/bias_correction.h"
#include "codec/packing/two_bit_planes.h"
#include "codec/q3_k/q3_k.h"
#include "codec/scale_search/symmetric_choice.h"
#include "codec/scale_search/zero_guard.h"

namespace sluice::inline SLUICE_ISA {
namespace {

using V = FloatLanes;

// Inverse scales from 3 to 6.2 codes for the largest magnitude, of both signs. Scales that cut it
// off are the better ones more often than not.
constexpr SymmetricChoiceType kBest = {
    .low = -4, .high = 3, .lowest = -32, .effort = {-1.0f, 0.4f, 9, 0, 1}, .rounds = 1, .reach = 1};
constexpr SymmetricChoiceType kFast = {
    .low = -4, .high = 3, .lowest = -32, .effort = {-0.8f, 0.8f, 5, 0, 1}, .rounds = 0, .reach = 0};

/// What the mean counts for in an error's weight, as in the peers' Q3_K.
constexpr float kMeanShare = 2;

/// Codes are found from the values as they were given, with the scales as a decoder would compute
/// them from the d that was chosen. Zero is among the codes, so that no weight's error is more than
/// that of coding zero; where the corrected d makes it more after all, it is not taken.
BlockQ3_K encode_block(const float* values, const float* importance, const SymmetricChoice& choice,
                       float bias_correction) noexcept {
  BlockQ3_K block{};
  const float d = f16_to_f32(choice.d);
  block.d = stored_scale(d * correct_bias(choice.unbiased_factor, bias_correction));
  const float stored_d = f16_to_f32(block.d);
  Columns inverse;
  for (int lane = 0; lane < kColumns; lane += kLanes<V>) {
    const V scale = load<V>(&choice.number.at[lane]) * d;
    store(&inverse.at[lane], scale != 0.0f ? 1.0f / scale : V{});
  }
  std::uint8_t codes[256];
  float decoded[256];
  for (int s = 0; s < 16; ++s) {
    const float stored = stored_d * choice.number.at[s];
    block.set_scale(s, static_cast<int>(choice.number.at[s]));
    for (int i = 16 * s; i < 16 * (s + 1); i += kLanes<V>) {
      const V code = round_to_integer(clamp(load<V>(values + i) * inverse.at[s], -4.0f, 3.0f));
      store_bytes(codes + i, code + 4.0f);
      store(decoded + i, stored * code);
    }
  }
  if (worse_than_zeros(values, decoded, importance, 256)) block.d = choice.d;
  pack_two_bits(codes, block.low);
  for (int l = 0; l < 32; ++l) {
    int high = 0;
    for (int run = 0; run < 8; ++run) high |= codes[32 * run + l] >> 2 << run;
    block.high[l] = static_cast<std::uint8_t>(high);
  }
  return block;
}

}  // namespace

void encode_q3_k(const EncodeRows& rows, std::byte* out) noexcept {
  const SymmetricChoiceType& type = rows.effort == Effort::fast ? kFast : kBest;
  for_each_super_block_tile<V, 16>(
      rows, 2,
      [&](const SuperBlockTile<16>& tile, std::size_t index, int) noexcept {
        const SymmetricChoice choice = SymmetricChoiceSearch<V, 16>(tile, type).search();
        const BlockQ3_K block =
            encode_block(tile.values[0], tile.importance[0], choice, rows.bias_correction);
        std::memcpy(out + index * sizeof block, &block, sizeof block);
      },
      kMeanShare);
}

}  // namespace sluice::inline SLUICE_ISA
