#include "codec/interleaved/iq1_s_r4.h"

namespace sluice::inline SLUICE_ISA {

void BlockIq1SR4::encode(const EncodeRows& rows, std::byte* out) noexcept {
  iq1::encode_interleaved<Iq1SR4>(rows, out);
}

Codec codec_iq1_s_r4() noexcept {
  return group_codec<BlockIq1SR4>(TensorType::iq1_s_r4);
}

}  // namespace sluice::inline SLUICE_ISA
