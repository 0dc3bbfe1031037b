#include "codec/i_quants/iq2_xs.h"

#include "codec/block_codec.h"
#include "codec/i_quants/magnitude_encoder.h"

namespace sluice::inline SLUICE_ISA {

void BlockIq2Xs::encode(const EncodeRows& rows, std::byte* out) noexcept {
  encode_magnitudes<BlockIq2Xs>(rows, out);
}

Codec codec_iq2_xs() noexcept {
  return block_codec<BlockIq2Xs>(TensorType::iq2_xs);
}

}  // namespace sluice::inline SLUICE_ISA
