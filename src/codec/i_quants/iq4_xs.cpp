#include "codec/i_quants/iq4_xs.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq4_xs() noexcept {
  return block_codec<BlockIq4Xs>(TensorType::iq4_xs);
}

}  // namespace sluice::inline SLUICE_ISA
