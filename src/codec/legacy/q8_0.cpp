#include <algorithm>
#include <cstring>

#include "codec/block_codec.h"
#include "codec/half.h"
#include "codec/largest_of_blocks.h"
#include "codec/packing.h"

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
  /// since there are readers whose kernels negate codes or add 127 to them. Blocks' steps wait for
  /// each other, so that they are done for some blocks together.
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    const std::size_t total = rows.rows * rows.row_elements / kWeights;
    for (std::size_t first = 0; first < total; first += kColumns) {
      const float* values = rows.values + first * kWeights;
      const std::size_t used = std::min<std::size_t>(kColumns, total - first);
      alignas(64) float largest[kColumns] = {};
      if (used == kColumns) {
        largest_of_blocks<kWeights>(values).store(largest);
      } else {
        for (std::size_t b = 0; b < used; ++b) {
          largest[b] = largest_magnitude(values + b * kWeights, kWeights);
        }
      }
      std::uint16_t halves[kColumns];
      alignas(64) float inverse[kColumns];
      for (std::size_t b = 0; b < kColumns; ++b) halves[b] = to_half(largest[b] / kLargest);
      for (std::size_t b = 0; b < kColumns; ++b) inverse[b] = f16_to_f32(halves[b]);
      reciprocal_or_zero(Floats::load(inverse)).store(inverse);
      for (std::size_t b = 0; b < used; ++b, values += kWeights, out += sizeof(BlockQ8_0)) {
        BlockQ8_0 block;
        block.d = halves[b];
        round_to_codes(values, inverse[b], block.codes);
        std::memcpy(out, &block, sizeof block);
      }
    }
  }

 private:
  static constexpr float kLargest = 127.0f;

  static SLUICE_INLINE void round_to_codes(const float* values, float inverse,
                                           std::int8_t* codes) noexcept {
#if defined(__AVX2__) && !defined(__AVX512BW__) && !defined(SLUICE_REGISTER_BYTES)
    // Packing saturates, on one side to -128.
    const auto integers = [&](std::size_t i) noexcept {
      const FloatPart code = min(FloatPart::load(values + i) * inverse, kLargest);
      return _mm256_cvtps_epi32(code.part[0]);
    };
    const __m256i low = _mm256_packs_epi32(integers(0), integers(8));
    const __m256i high = _mm256_packs_epi32(integers(16), integers(24));
    const __m256i bytes = _mm256_max_epi8(_mm256_packs_epi16(low, high), _mm256_set1_epi8(-127));
    const __m256i in_order =
        _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    std::memcpy(codes, &in_order, sizeof in_order);
#else
    for (std::size_t j = 0; j < kWeights; j += kColumns) {
      const Floats code = clamp(Floats::load(values + j) * inverse, -kLargest, kLargest);
      std::uint8_t biased[kColumns];
      store_bytes(biased, round(code) + 128.0f);
      Bytes<kColumns> bytes;
      std::memcpy(&bytes, biased, sizeof bytes);
      bytes ^= 128;
      std::memcpy(codes + j, &bytes, sizeof bytes);
    }
#endif
  }
};
static_assert(sizeof(BlockQ8_0) == 34);

Codec codec_q8_0() noexcept {
  return block_codec<BlockQ8_0>(TensorType::q8_0);
}

}  // namespace sluice::inline SLUICE_ISA
