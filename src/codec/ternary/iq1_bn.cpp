#include <cstdint>

#include "codec/block_codec.h"

namespace sluice::inline SLUICE_ISA {

/// IQ1_BN (ik_llama.cpp only): 64 weights in 13 bytes (1.625 bits a weight), and a binary16 scale d for
/// the row: d * (code - 1), for models trained with weights of -1, 0 and 1 times a constant. Of each 16
/// codes, three bytes have five each, and the last byte has the sixteenth ones: a byte is
/// n * 256 / 243 rounded up, where n has the codes as digits of base 3, lowest first.
struct BlockIq1Bn {
  using RowScale = std::uint16_t;
  static constexpr std::size_t kWeights = 64;

  std::uint8_t fives[4][3];
  std::uint8_t sixteenths;

  /// Digit j: the byte times 3^(4 - j), modulo 256, is what is left of n below digit j + 1, as a
  /// fraction of 256.
  static float digit(unsigned byte, unsigned j) noexcept {
    constexpr unsigned kPowers[] = {81, 27, 9, 3, 1};
    return static_cast<float>((byte * kPowers[j] & 255) * 3 >> 8);
  }

  void decode(float d, float* out) const noexcept {
    for (unsigned i = 0; i < 4; ++i) {
      for (const std::uint8_t five : fives[i]) {
        for (unsigned j = 0; j < 5; ++j) *out++ = d * (digit(five, j) - 1.0f);
      }
      *out++ = d * (digit(sixteenths, i) - 1.0f);
    }
  }
};
static_assert(sizeof(BlockIq1Bn) == 13);

Codec codec_iq1_bn() noexcept {
  return block_codec<BlockIq1Bn>(TensorType::iq1_bn);
}

}  // namespace sluice::inline SLUICE_ISA
