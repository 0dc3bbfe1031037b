#include "codec/i_quants/iq2_k.h"
#include "codec/interleaved/codes.h"
#include "codec/interleaved/group_codec.h"

namespace sluice::inline SLUICE_ISA {

/// IQ2_K_R4: four rows of IQ2_K, interleaved.
struct BlockIq2KR4 {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 16;
  static constexpr auto kLevels = BlockIq2K::kLevels;
  static constexpr float kShift = BlockIq2K::kShift;

  std::uint16_t d[4];     ///< fp16 scales of the rows' super-blocks
  std::uint8_t extra[8];  ///< bit b / 2 of byte row + 4 (b % 2): sub-block b has the shifted levels
  std::uint8_t scales[32];  ///< scale + 8
  std::uint8_t codes[256];

  int scale(unsigned row, unsigned b) const noexcept {
    const unsigned s = interleaved_sub_block(row, b);
    return (scales[s % 32] >> 4 * (s / 32) & 15) - 8;
  }
  bool shifted(unsigned row, unsigned b) const noexcept {
    return (extra[row + 4 * (b % 2)] >> b / 2 & 1) != 0;
  }
  unsigned code(unsigned row, unsigned b, unsigned j) const noexcept {
    return interleaved_pair(codes + 32 * (b / 2), row, 16 * (b % 2) + j);
  }

  bool finite() const noexcept { return finite_halves(d); }
  void decode(unsigned row, float* out) const noexcept {
    decode_shifted_levels(InterleavedRow<BlockIq2KR4>{*this, row}, f16_to_f32(d[row]), out);
  }
};
static_assert(sizeof(BlockIq2KR4) == 304);

Codec codec_iq2_k_r4() noexcept {
  return group_codec<BlockIq2KR4>(TensorType::iq2_k_r4);
}

}  // namespace sluice::inline SLUICE_ISA
