#include "codec/interleaved/iq1_m_r4.h"

namespace sluice::inline SLUICE_ISA {

void BlockIq1MR4::encode(const EncodeRows& rows, std::byte* out) noexcept {
  iq1::encode_interleaved<Iq1MR4>(rows, out);
}

Codec codec_iq1_m_r4() noexcept {
  return group_codec<BlockIq1MR4>(TensorType::iq1_m_r4);
}

}  // namespace sluice::inline SLUICE_ISA
