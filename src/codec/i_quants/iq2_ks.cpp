#include "codec/i_quants/iq2_ks.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq2_ks() noexcept {
  return block_codec<BlockIq2Ks>(TensorType::iq2_ks);
}

}  // namespace sluice::inline SLUICE_ISA
