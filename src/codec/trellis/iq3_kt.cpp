#include "codec/trellis/iq3_kt.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq3_kt() noexcept {
  return block_codec<BlockIq3Kt>(TensorType::iq3_kt);
}

}  // namespace sluice::inline SLUICE_ISA
