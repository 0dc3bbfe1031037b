#include "codec/block_codec.h"
#include "codec/half.h"
#include "simd/sixteen_bits.h"

namespace sluice::inline SLUICE_ISA {

/// IEEE binary16. Every value is exact in binary32.
struct BlockF16 {
  std::uint16_t bits;

  static constexpr std::size_t kWeights = 1;

  bool finite() const noexcept { return finite_half(bits); }
  void decode(float* out) const noexcept { *out = f16_to_f32(bits); }

  /// Rounds to nearest, ties to even. Values beyond +-65504, the largest that binary16 holds,
  /// become +-65504: an infinity would spoil every product it enters.
  struct Number {
    std::uint16_t operator()(float value) const noexcept { return to_half(value); }
#ifdef SLUICE_SIXTEEN_BITS
    static constexpr std::size_t kAtOnce = simd::kNumbersAtOnce;
    void several(const float* from, std::byte* to) const noexcept {
      simd::to_f16(from, to);
    }
#endif
  };
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_values(rows, out, Number{});
  }
};

#ifdef SLUICE_SIXTEEN_BITS
/// As decode_blocks() does it: NaN stays as it is.
static void decode_f16(const std::byte* numbers, float* out, std::size_t elements) noexcept {
  constexpr std::size_t kAtOnce = simd::kNumbersAtOnce;
  std::size_t i = 0;
  for (; i + kAtOnce <= elements; i += kAtOnce) {
    if (!simd::from_f16(numbers + 2 * i, out + i)) {
      decode_blocks<BlockF16>(numbers + 2 * i, out + i, kAtOnce);
    }
  }
  decode_blocks<BlockF16>(numbers + 2 * i, out + i, elements - i);
}
#endif

Codec codec_f16() noexcept {
  Codec codec = block_codec<BlockF16>(TensorType::f16);
#ifdef SLUICE_SIXTEEN_BITS
  codec.decode = decode_f16;
#endif
  return codec;
}

}  // namespace sluice::inline SLUICE_ISA
