#include "codec/i_quants/iq2_kl.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq2_kl() noexcept {
  return block_codec<BlockIq2Kl>(TensorType::iq2_kl);
}

}  // namespace sluice::inline SLUICE_ISA
