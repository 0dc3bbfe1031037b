#include "codec/i_quants/iq3_s.h"

#include "codec/block_codec.h"
#include "codec/i_quants/magnitude_encoder.h"

namespace sluice::inline SLUICE_ISA {

void BlockIq3S::encode(const EncodeRows& rows, std::byte* out) noexcept {
  encode_magnitudes<BlockIq3S>(rows, out);
}

Codec codec_iq3_s() noexcept {
  return block_codec<BlockIq3S>(TensorType::iq3_s);
}

}  // namespace sluice::inline SLUICE_ISA
