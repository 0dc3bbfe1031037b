#include "codec/i_quants/iq2_s.h"

#include "codec/block_codec.h"
#include "codec/i_quants/magnitude_encoder.h"

namespace sluice::inline SLUICE_ISA {

void BlockIq2S::encode(const EncodeRows& rows, std::byte* out) noexcept {
  encode_magnitudes<BlockIq2S>(rows, out);
}

Codec codec_iq2_s() noexcept {
  return block_codec<BlockIq2S>(TensorType::iq2_s);
}

}  // namespace sluice::inline SLUICE_ISA
