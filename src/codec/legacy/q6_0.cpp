#include "codec/legacy/block32.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// 32 weights in 26 bytes, 6.5 bits a weight: d * (code - 32), codes of [0, 63]. Byte j of `low`
/// holds the low four bits of code j in its low half and those of code j + 16 in its high half.
/// Byte j of `high` holds the upper two bits of codes j, j + 16, j + 8 and j + 24, lowest bits
/// first. ik_llama.cpp only.
struct BlockQ6_0 {
  std::uint16_t d;  ///< binary16
  std::uint8_t high[8];
  std::uint8_t low[16];

  static constexpr int kLow = -32;
  static constexpr int kHigh = 31;
  // Inverse scales from 24 to 33 codes for the largest magnitude.
  static constexpr SymmetricEffort kEffort = {-8.0f, 1.0f, 10, 1, 0};

  // The upper two bits of codes 8 * run to 8 * run + 7 are in the eight bytes of `high` from bit
  // kShift[run] on.
  static constexpr int kShift[4] = {0, 4, 2, 6};
  static constexpr std::uint64_t kTwoBits = 0x0303030303030303;  // of each of eight bytes

  void set_codes(const Codes32& codes) noexcept {
    pack_nibbles(codes, low);
    std::uint64_t bits = 0;
    for (int run = 0; run < 4; ++run) {
      std::uint64_t eight;
      std::memcpy(&eight, codes + 8 * run, sizeof eight);
      bits |= (eight >> 4 & kTwoBits) << kShift[run];
    }
    std::memcpy(high, &bits, sizeof bits);
  }

  void get_codes(Codes32& codes) const noexcept {
    unpack_nibbles(low, codes);
    std::uint64_t bits;
    std::memcpy(&bits, high, sizeof bits);
    for (int run = 0; run < 4; ++run) {
      std::uint64_t eight;
      std::memcpy(&eight, codes + 8 * run, sizeof eight);
      eight |= (bits >> kShift[run] & kTwoBits) << 4;
      std::memcpy(codes + 8 * run, &eight, sizeof eight);
    }
  }
};
static_assert(sizeof(BlockQ6_0) == 26);

Codec codec_q6_0() noexcept {
  return block_codec<SymmetricBlock<BlockQ6_0>>(TensorType::q6_0);
}

}  // namespace sluice::inline SLUICE_ISA
