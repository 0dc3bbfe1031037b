#include "codec/i_quants/iq1_m.h"

#include "codec/block_codec.h"

namespace sluice::inline SLUICE_ISA {

void BlockIq1M::encode(const EncodeRows& rows, std::byte* out) noexcept {
  iq1::encode<Iq1M>(rows, out);
}

Codec codec_iq1_m() noexcept {
  return block_codec<BlockIq1M>(TensorType::iq1_m);
}

}  // namespace sluice::inline SLUICE_ISA
