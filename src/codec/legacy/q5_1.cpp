#include "codec/legacy/block32.h"
#include "codec/legacy/fifth_bits.h"

namespace sluice::inline SLUICE_ISA {

/// 32 weights in 24 bytes, 6 bits a weight: d * code + m, codes of [0, 31], laid out as in Q5_0.
struct BlockQ5_1 {
  std::uint16_t d;  ///< binary16
  std::uint16_t m;  ///< binary16, the value of code 0
  std::uint8_t high[4];
  std::uint8_t low[16];

  static constexpr int kHigh = 31;
  // From a range wider by nine hundredths than the values' to one narrower by one.
  static constexpr AffineEffort kEffort = {-0.09f, 0.05f, 3, 0};

  void set_codes(const Codes32& codes) noexcept {
    pack_nibbles(codes, low);
    pack_fifth_bits(codes, high);
  }
  void get_codes(Codes32& codes) const noexcept {
    unpack_nibbles(low, codes);
    add_fifth_bits(high, codes);
  }
};
static_assert(sizeof(BlockQ5_1) == 24);

Codec codec_q5_1() noexcept {
  return block_codec<AffineBlock<BlockQ5_1>>(TensorType::q5_1);
}

}  // namespace sluice::inline SLUICE_ISA
