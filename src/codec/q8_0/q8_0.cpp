#include "codec/q8_0/q8_0.h"

#include "codec/packing/finite_scales.h"
#include "codec/scale_search/block32.h"

namespace sluice::inline SLUICE_ISA {

void decode_q8_0(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t i = 0; i < elements; i += kBlock32, blocks += sizeof(BlockQ8_0)) {
    BlockQ8_0 block;
    std::memcpy(&block, blocks, sizeof block);
    const float d = f16_to_f32(block.d);
    for (int j = 0; j < kBlock32; ++j) out[i + j] = d * static_cast<float>(block.codes[j]);
  }
}

void encode_q8_0(const EncodeRows& rows, std::byte* out) noexcept {
  constexpr float kLargest = 127.0f;
  const std::size_t elements = rows.rows * rows.row_elements;
  for (std::size_t i = 0; i < elements; i += kBlock32, out += sizeof(BlockQ8_0)) {
    const float* values = rows.values + i;
    BlockQ8_0 block;
    block.d = stored_scale(largest_magnitude(values, kBlock32) / kLargest);
    const float d = f16_to_f32(block.d);
    const float inverse = d > 0 ? 1.0f / d : 0.0f;
    for (int j = 0; j < kBlock32; ++j) {
      const float code = round_to_integer(clamp(values[j] * inverse, -kLargest, kLargest));
      block.codes[j] = static_cast<std::int8_t>(static_cast<int>(code));
    }
    std::memcpy(out, &block, sizeof block);
  }
}

bool scales_finite_q8_0(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockQ8_0>(blocks, count,
                               [](const BlockQ8_0& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
