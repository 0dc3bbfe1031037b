#include "codec/legacy/block32.h"
#include "codec/legacy/fifth_bits.h"

namespace sluice::inline SLUICE_ISA {

/// 32 weights in 22 bytes, 5.5 bits a weight: d * (code - 16), codes of [0, 31]. Byte j of `low`
/// holds the low four bits of code j in its low half and those of code j + 16 in its high half; bit
/// j of `high`, a little-endian number of 32 bits, is the fifth bit of code j.
struct BlockQ5_0 {
  std::uint16_t d;  ///< binary16
  std::uint8_t high[4];
  std::uint8_t low[16];

  static constexpr int kLow = -16;
  static constexpr int kHigh = 15;
  // Inverse scales from 13 to 17.5 codes for the largest magnitude.
  static constexpr SymmetricEffort kEffort = {-3.0f, 0.5f, 10, 1, 0};

  void set_codes(const Codes32& codes) noexcept {
    pack_nibbles(codes, low);
    pack_fifth_bits(codes, high);
  }
  void get_codes(Codes32& codes) const noexcept {
    unpack_nibbles(low, codes);
    add_fifth_bits(high, codes);
  }
};
static_assert(sizeof(BlockQ5_0) == 22);

Codec codec_q5_0() noexcept {
  return block_codec<SymmetricBlock<BlockQ5_0>>(TensorType::q5_0);
}

}  // namespace sluice::inline SLUICE_ISA
