#include "codec/interleaved/iq1_s_r4.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq1_s_r4() noexcept {
  return group_codec<BlockIq1SR4>(TensorType::iq1_s_r4);
}

}  // namespace sluice::inline SLUICE_ISA
