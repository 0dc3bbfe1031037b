#include "codec/i_quants/iq4_ks.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq4_ks() noexcept {
  return block_codec<BlockIq4Ks>(TensorType::iq4_ks);
}

}  // namespace sluice::inline SLUICE_ISA
