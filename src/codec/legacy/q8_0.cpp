#include "codec/block_codec.h"
#include "codec/half.h"
#include "codec/packing.h"
#include "codec/tile.h"

namespace sluice::inline SLUICE_ISA {

/// 32 weights in 34 bytes, 8.5 bits a weight: d * code.
struct BlockQ8_0 {
  std::uint16_t d;  ///< binary16
  std::int8_t codes[32];

  static constexpr std::size_t kWeights = 32;

  bool finite() const noexcept { return finite_half(d); }

  void decode(float* out) const noexcept {
    const float scale = f16_to_f32(d);
    for (std::size_t j = 0; j < kWeights; ++j) out[j] = scale * static_cast<float>(codes[j]);
  }

  /// Takes no account of importance: every weight is within d / 2. Codes keep within [-127, 127],
  /// since there are readers whose kernels negate codes or add 127 to them.
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    constexpr float kLargest = 127.0f;
    const std::size_t elements = rows.rows * rows.row_elements;
    for (std::size_t i = 0; i < elements; i += kWeights, out += sizeof(BlockQ8_0)) {
      const float* values = rows.values + i;
      BlockQ8_0 block;
      block.d = to_half(largest_magnitude(values, kWeights) / kLargest);
      const float scale = f16_to_f32(block.d);
      const float inverse = scale > 0 ? 1.0f / scale : 0.0f;
      for (std::size_t j = 0; j < kWeights; j += kColumns) {
        const Floats code = clamp(Floats::load(values + j) * inverse, -kLargest, kLargest);
        std::uint8_t biased[kColumns];
        store_bytes(biased, round(code) + 128.0f);
        Bytes<kColumns> bytes;
        std::memcpy(&bytes, biased, sizeof bytes);
        bytes ^= 128;
        std::memcpy(block.codes + j, &bytes, sizeof bytes);
      }
      std::memcpy(out, &block, sizeof block);
    }
  }
};
static_assert(sizeof(BlockQ8_0) == 34);

Codec codec_q8_0() noexcept {
  return block_codec<BlockQ8_0>(TensorType::q8_0);
}

}  // namespace sluice::inline SLUICE_ISA
