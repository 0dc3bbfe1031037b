#include "base/float16.h"
#include "codec/block_codec.h"
#include "simd/sixteen_bits.h"

namespace sluice::inline SLUICE_ISA {

/// The upper half of binary32. Every value is exact in binary32.
struct BlockBf16 {
  std::uint16_t bits;

  static constexpr std::size_t kWeights = 1;

  bool finite() const noexcept { return (bits & 0x7f80u) != 0x7f80u; }
  void decode(float* out) const noexcept { *out = bf16_to_f32(bits); }

  /// Rounds to nearest, ties to even. Values that would round to an infinity become the largest
  /// finite number instead.
  struct Number {
    std::uint16_t operator()(float value) const noexcept {
      constexpr std::uint16_t kLargest = 0x7f7f;
      const std::uint16_t bits = number_to_bf16(value);
      const std::uint16_t magnitude = bits & 0x7fffu;
      return magnitude < kLargest ? bits : static_cast<std::uint16_t>((bits & 0x8000u) | kLargest);
    }
#ifdef SLUICE_SIXTEEN_BITS
    static constexpr std::size_t kAtOnce = simd::kNumbersAtOnce;
    void several(const float* from, std::byte* to) const noexcept {
      simd::to_bf16(from, to);
    }
#endif
  };
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_values(rows, out, Number{});
  }
};

Codec codec_bf16() noexcept {
  return block_codec<BlockBf16>(TensorType::bf16);
}

}  // namespace sluice::inline SLUICE_ISA
