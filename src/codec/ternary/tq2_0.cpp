#include <cstdint>

#include "codec/block_codec.h"
#include "codec/packing.h"
#include "codec/ternary/threshold_search.h"

namespace sluice::inline SLUICE_ISA {

/// TQ2_0: 256 weights in 66 bytes, 2.0625 bits a weight: d * (code - 1), for models trained with
/// weights of -1, 0 and 1 times a constant.
struct BlockTQ2_0 {
  static constexpr std::size_t kWeights = 256;

  std::uint8_t codes[64];  ///< see pack_two_bits()
  std::uint16_t d;         ///< binary16

  bool finite() const noexcept { return finite_half(d); }
  void decode(float* out) const noexcept {
    const float scale = f16_to_f32(d);
    std::uint8_t unpacked[kWeights];
    unpack_two_bits(codes, unpacked);
    for (const std::uint8_t code : unpacked) *out++ = static_cast<float>(code - 1) * scale;
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_ternary_blocks<BlockTQ2_0>(rows, out);
  }

  /// Codes 0, 1 and 2, in the order of the weights.
  void set_codes(const std::uint8_t* unpacked) noexcept { pack_two_bits(unpacked, codes); }
};
static_assert(sizeof(BlockTQ2_0) == 66);

Codec codec_tq2_0() noexcept {
  return block_codec<BlockTQ2_0>(TensorType::tq2_0);
}

}  // namespace sluice::inline SLUICE_ISA
