#include "codec/i_quants/iq4_k.h"
#include "codec/interleaved/codes.h"
#include "codec/interleaved/group_codec.h"

namespace sluice::inline SLUICE_ISA {

/// IQ4_KS_R4: four rows of IQ4_KS, interleaved.
struct BlockIq4KsR4 {
  using RowScale = float;
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kSubBlocks = 8;
  static constexpr auto kLevels = BlockIq4K::kLevels;
  static constexpr float kShift = BlockIq4K::kShift;

  std::uint8_t scales[8][4];  ///< [sub-block][row] scale + 127, and whether the levels are shifted
  std::uint8_t codes[512];

  int scale(unsigned row, unsigned b) const noexcept { return (scales[b][row] & 254) - 127; }
  bool shifted(unsigned row, unsigned b) const noexcept { return (scales[b][row] & 1) != 0; }
  unsigned code(unsigned row, unsigned b, unsigned j) const noexcept {
    return interleaved_nibble(codes + 64 * b, row, j);
  }

  void decode(unsigned row, float row_d, float* out) const noexcept {
    decode_shifted_levels(InterleavedRow<BlockIq4KsR4>{*this, row}, row_d, out);
  }
};
static_assert(sizeof(BlockIq4KsR4) == 544);

Codec codec_iq4_ks_r4() noexcept {
  return group_codec<BlockIq4KsR4>(TensorType::iq4_ks_r4);
}

}  // namespace sluice::inline SLUICE_ISA
