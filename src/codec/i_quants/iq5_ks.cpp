#include "codec/i_quants/iq5_ks.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq5_ks() noexcept {
  return block_codec<BlockIq5Ks>(TensorType::iq5_ks);
}

}  // namespace sluice::inline SLUICE_ISA
