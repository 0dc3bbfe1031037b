#include "codec/legacy/block32.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// 32 weights in 18 bytes, 4.5 bits a weight: d * (code - 8), codes of [0, 15]. Byte j holds code j
/// in its low half and code j + 16 in its high half. `d` may be negative: -8 has no positive
/// partner, so the sign says on which side the range reaches further.
struct BlockQ4_0 {
  std::uint16_t d;  ///< binary16
  std::uint8_t nibbles[16];

  static constexpr int kLow = -8;
  static constexpr int kHigh = 7;
  // Inverse scales from 6.6 to 10.6 codes for the largest magnitude.
  static constexpr SymmetricEffort kEffort = {-1.4f, 0.5f, 9, 1, 2};

  void set_codes(const Codes32& codes) noexcept { pack_nibbles(codes, nibbles); }
  void get_codes(Codes32& codes) const noexcept { unpack_nibbles(nibbles, codes); }
};
static_assert(sizeof(BlockQ4_0) == 18);

Codec codec_q4_0() noexcept {
  return block_codec<SymmetricBlock<BlockQ4_0>>(TensorType::q4_0);
}

}  // namespace sluice::inline SLUICE_ISA
