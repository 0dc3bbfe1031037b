#include "codec/i_quants/iq4_k.h"
#include "codec/interleaved/codes.h"
#include "codec/interleaved/group_codec.h"

namespace sluice::inline SLUICE_ISA {

/// IQ4_K_R4: four rows of IQ4_K, interleaved.
struct BlockIq4KR4 {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 16;
  static constexpr auto kLevels = BlockIq4K::kLevels;
  static constexpr float kShift = BlockIq4K::kShift;

  std::uint16_t d[4];     ///< fp16 scales of the rows' super-blocks
  std::uint8_t extra[8];  ///< bit b / 2 of byte row + 4 (b % 2): sub-block b has the shifted levels
  std::uint8_t scales_high[16];  ///< upper 2 bits of scale + 32
  std::uint8_t scales_low[32];
  std::uint8_t codes[512];

  int scale(unsigned row, unsigned b) const noexcept {
    const unsigned s = interleaved_sub_block(row, b);
    const int low = scales_low[s % 32] >> 4 * (s / 32) & 15;
    const int high = scales_high[s % 16] >> 2 * (s / 16) & 3;
    return (low | high << 4) - 32;
  }
  bool shifted(unsigned row, unsigned b) const noexcept {
    return (extra[row + 4 * (b % 2)] >> b / 2 & 1) != 0;
  }
  unsigned code(unsigned row, unsigned b, unsigned j) const noexcept {
    return interleaved_nibble(codes + 64 * (b / 2), row, 16 * (b % 2) + j);
  }

  bool finite() const noexcept { return finite_halves(d); }
  void decode(unsigned row, float* out) const noexcept {
    decode_shifted_levels(InterleavedRow<BlockIq4KR4>{*this, row}, f16_to_f32(d[row]), out);
  }
};
static_assert(sizeof(BlockIq4KR4) == 576);

Codec codec_iq4_k_r4() noexcept {
  return group_codec<BlockIq4KR4>(TensorType::iq4_k_r4);
}

}  // namespace sluice::inline SLUICE_ISA
