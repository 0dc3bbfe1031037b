#include "codec/i_quants/iq2_k.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq2_k() noexcept {
  return block_codec<BlockIq2K>(TensorType::iq2_k);
}

}  // namespace sluice::inline SLUICE_ISA
