#include "codec/i_quants/iq3_xxs.h"

#include "codec/block_codec.h"
#include "codec/i_quants/magnitude_encoder.h"

namespace sluice::inline SLUICE_ISA {

void BlockIq3Xxs::encode(const EncodeRows& rows, std::byte* out) noexcept {
  encode_magnitudes<BlockIq3Xxs>(rows, out);
}

Codec codec_iq3_xxs() noexcept {
  return block_codec<BlockIq3Xxs>(TensorType::iq3_xxs);
}

}  // namespace sluice::inline SLUICE_ISA
