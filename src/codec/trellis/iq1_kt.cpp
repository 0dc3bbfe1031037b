#include "codec/trellis/iq1_kt.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq1_kt() noexcept {
  return block_codec<BlockIq1Kt>(TensorType::iq1_kt);
}

}  // namespace sluice::inline SLUICE_ISA
