#include "codec/legacy/q1_0.h"

#include <algorithm>

#include "codec/block_codec.h"
#include "codec/rows.h"
#include "codec/weighting.h"

namespace sluice::inline SLUICE_ISA {

/// Signs are the weights', and d is the mean of the magnitudes as importance weighs them, which no
/// other has less error than; but at most 3/2 of the plain mean, from twice of which on zeros would be
/// better for most weights.
void BlockQ1_0::encode(const EncodeRows& rows, std::byte* out) noexcept {
  using simd::Floats;
  constexpr std::size_t kRegisters = kWeights / Floats::kLanes;
  encode_blocks<BlockQ1_0>(rows, out, [](const float* values, const float* importance) noexcept {
    WeightedBlocks<kRegisters> block;
    std::memcpy(block.x.data(), values, sizeof block.x);
    if (importance != nullptr) std::memcpy(block.q.data(), importance, sizeof block.q);
    block.normalize<Share::block>(importance != nullptr);
    BlockQ1_0 coded;
    Floats sum_q = 0;
    Floats sum_qx = 0;
    Floats sum_x = 0;
    for (std::size_t i = 0; i < kRegisters; ++i) {
      sum_q += block.q[i];
      sum_qx += block.q[i] * abs(block.x[i]);
      sum_x += abs(block.x[i]);
      const auto plus = simd::Machine::to_bits((block.x[i] >= 0).part);
      coded.bits[2 * i] = static_cast<std::uint8_t>(plus);
      coded.bits[2 * i + 1] = static_cast<std::uint8_t>(plus >> 8);
    }
    // Above a half of the smallest binary16 number it is rounded up to that, to less than twice what
    // is best, so that zeros would be no better.
    const double mean = double{reduce_sum(sum_qx)} / double{reduce_sum(sum_q)};
    const double most = 1.5 / kWeights * double{reduce_sum(sum_x)};
    const double scale = std::min(mean, most) * power_of_two(block.exponent[0]);
    coded.d = to_half(static_cast<float>(std::min(scale, 65504.0)));
    return coded;
  });
}

Codec codec_q1_0() noexcept {
  return block_codec<BlockQ1_0>(TensorType::q1_0);
}

}  // namespace sluice::inline SLUICE_ISA
