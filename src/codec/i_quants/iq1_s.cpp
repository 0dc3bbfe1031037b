#include "codec/i_quants/iq1_s.h"

#include "codec/block_codec.h"

namespace sluice::inline SLUICE_ISA {

void BlockIq1S::encode(const EncodeRows& rows, std::byte* out) noexcept {
  iq1::encode<Iq1S>(rows, out);
}

Codec codec_iq1_s() noexcept {
  return block_codec<BlockIq1S>(TensorType::iq1_s);
}

}  // namespace sluice::inline SLUICE_ISA
