#include "codec/i_quants/iq3_k.h"
#include "codec/interleaved/codes.h"
#include "codec/interleaved/group_codec.h"

namespace sluice::inline SLUICE_ISA {

/// IQ3_K_R4: four rows of IQ3_K, interleaved.
struct BlockIq3KR4 {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 16;
  static constexpr auto kLevels = BlockIq3K::kLevels;
  static constexpr float kShift = BlockIq3K::kShift;

  std::uint16_t d[4];     ///< fp16 scales of the rows' super-blocks
  std::uint8_t extra[8];  ///< bit b / 2 of byte row + 4 (b % 2): sub-block b has the shifted levels
  std::uint8_t scale_signs[8];
  std::uint8_t scales[32];  ///< (|scale| - 1) / 2
  std::uint8_t codes_low[256];
  std::uint8_t code_high[128];

  int scale(unsigned row, unsigned b) const noexcept {
    const unsigned s = interleaved_sub_block(row, b);
    const int magnitude = 2 * (scales[s % 32] >> 4 * (s / 32) & 15) + 1;
    return scale_signs[s % 8] >> s / 8 & 1 ? -magnitude : magnitude;
  }
  bool shifted(unsigned row, unsigned b) const noexcept {
    return (extra[row + 4 * (b % 2)] >> b / 2 & 1) != 0;
  }
  unsigned code(unsigned row, unsigned b, unsigned j) const noexcept {
    const unsigned column = 16 * (b % 2) + j;
    return interleaved_pair(codes_low + 32 * (b / 2), row, column) |
           interleaved_third(code_high + 16 * (b / 2), row, column) << 2;
  }

  bool finite() const noexcept { return finite_halves(d); }
  void decode(unsigned row, float* out) const noexcept {
    decode_shifted_levels(InterleavedRow<BlockIq3KR4>{*this, row}, f16_to_f32(d[row]), out);
  }
};
static_assert(sizeof(BlockIq3KR4) == 440);

Codec codec_iq3_k_r4() noexcept {
  return group_codec<BlockIq3KR4>(TensorType::iq3_k_r4);
}

}  // namespace sluice::inline SLUICE_ISA
