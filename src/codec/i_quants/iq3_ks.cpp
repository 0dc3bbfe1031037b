#include "codec/i_quants/iq3_ks.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq3_ks() noexcept {
  return block_codec<BlockIq3Ks>(TensorType::iq3_ks);
}

}  // namespace sluice::inline SLUICE_ISA
