#include "codec/legacy/block32.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// 32 weights in 20 bytes, 5 bits a weight: d * code + m, codes of [0, 15]. Byte j holds code j in
/// its low half and code j + 16 in its high half.
struct BlockQ4_1 {
  std::uint16_t d;  ///< binary16
  std::uint16_t m;  ///< binary16, the value of code 0
  std::uint8_t nibbles[16];

  static constexpr int kHigh = 15;
  // From a range wider by six hundredths than the values' to one narrower by four.
  static constexpr AffineEffort kEffort = {-0.06f, 0.05f, 3, 1};

  void set_codes(const Codes32& codes) noexcept { pack_nibbles(codes, nibbles); }
  void get_codes(Codes32& codes) const noexcept { unpack_nibbles(nibbles, codes); }
};
static_assert(sizeof(BlockQ4_1) == 20);

Codec codec_q4_1() noexcept {
  return block_codec<AffineBlock<BlockQ4_1>>(TensorType::q4_1);
}

}  // namespace sluice::inline SLUICE_ISA
