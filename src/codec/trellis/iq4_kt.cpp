#include "codec/trellis/iq4_kt.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq4_kt() noexcept {
  return block_codec<BlockIq4Kt>(TensorType::iq4_kt);
}

}  // namespace sluice::inline SLUICE_ISA
