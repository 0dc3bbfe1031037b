#include <cstdint>

#include "codec/block_codec.h"
#include "codec/ternary/threshold_search.h"

namespace sluice::inline SLUICE_ISA {

/// TQ1_0: 256 weights in 54 bytes, 1.6875 bits a weight: d * (digit - 1), for models trained with
/// weights of -1, 0 and 1 times a constant. Digits are ternary: a byte is a fraction of 256 whose
/// first five digits in base 3 are weights, so digit n is floor(3 * frac(byte * 3^n / 256)).
struct BlockTQ1_0 {
  static constexpr std::size_t kWeights = 256;

  /// Digit n of byte m < 32 is weight 32 * n + m. Digit n of byte 32 + m is weight 160 + 16 * n +
  /// m.
  std::uint8_t digits[48];
  std::uint8_t last[4];  ///< digit n < 4 of byte m is weight 240 + 4 * n + m
  std::uint16_t d;       ///< binary16

  bool finite() const noexcept { return finite_half(d); }
  void decode(float* out) const noexcept {
    const float scale = f16_to_f32(d);
    out = decode_digits(digits, 32, 5, scale, out);
    out = decode_digits(digits + 32, 16, 5, scale, out);
    out = decode_digits(last, 4, 4, scale, out);
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_ternary_blocks<BlockTQ1_0>(rows, out);
  }

  /// Codes 0, 1 and 2, in the order of the weights.
  void set_codes(const std::uint8_t* codes) noexcept {
    pack_digits<5, 32>(codes, digits);
    pack_digits<5, 16>(codes + 160, digits + 32);
    pack_digits<4, 4>(codes + 240, last);
  }

 private:
  /// Decodes `digits` digits of each of `count` bytes; returns the next place in `out`.
  static float* decode_digits(const std::uint8_t* bytes, int count, int digits, float d,
                              float* out) noexcept {
    unsigned power = 1;
    for (int n = 0; n < digits; ++n, power *= 3) {
      for (int m = 0; m < count; ++m) {
        const int digit = static_cast<int>((bytes[m] * power & 255u) * 3 >> 8);
        *out++ = static_cast<float>(digit - 1) * d;
      }
    }
    return out;
  }
  /// Packs kDigits digits of each of kCount bytes, digit n of byte m being codes[n * kCount + m].
  /// Rounded up, so that what is cut off does not borrow from a digit.
  template <int kDigits, int kCount>
  static void pack_digits(const std::uint8_t* codes, std::uint8_t* bytes) noexcept {
    for (int m = 0; m < kCount; ++m) {
      unsigned number = 0;
      for (int n = 0; n < 5; ++n) number = 3 * number + (n < kDigits ? codes[n * kCount + m] : 0);
      bytes[m] = static_cast<std::uint8_t>((256 * number + 242) / 243);
    }
  }
};
static_assert(sizeof(BlockTQ1_0) == 54);

Codec codec_tq1_0() noexcept {
  return block_codec<BlockTQ1_0>(TensorType::tq1_0);
}

}  // namespace sluice::inline SLUICE_ISA
