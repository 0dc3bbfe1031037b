#include <cstdint>

#include "codec/block_codec.h"
#include "codec/interleaved/layout.h"

namespace sluice::inline SLUICE_ISA {

/// IQ2_BN (ik_llama.cpp only): 64 weights in 16 bytes (2 bits a weight), and a scale d for the row:
/// d * (code - 1), for models trained with weights of -1, 0 and 1 times a constant.
struct BlockIq2Bn {
  using RowScale = float;
  static constexpr std::size_t kWeights = 64;

  std::uint8_t codes[16];  ///< of columns j, j + 16, j + 32 and j + 48, lowest bits first

  void decode(float d, float* out) const noexcept {
    for (unsigned j = 0; j < kWeights; ++j) {
      const int code = codes[j % 16] >> 2 * (j / 16) & 3;
      out[j] = d * static_cast<float>(code - 1);
    }
  }
};
static_assert(sizeof(BlockIq2Bn) == 16);

struct InterleavedIq2Bn {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 64;
  static constexpr std::size_t kScaleBytes = 4;
  static constexpr auto kPlain = codec_iq2_bn;
  static constexpr std::array kParts = {Part{2, 64, packed(0, 2, 16), pairs_of_four_rows(0), 4}};
};

Codec codec_iq2_bn() noexcept {
  return block_codec<BlockIq2Bn>(TensorType::iq2_bn);
}
Codec codec_iq2_bn_r4() noexcept {
  return interleaved_codec<InterleavedIq2Bn>(TensorType::iq2_bn_r4);
}

}  // namespace sluice::inline SLUICE_ISA
