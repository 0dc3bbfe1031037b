#include "codec/i_quants/iq4_k.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq4_k() noexcept {
  return block_codec<BlockIq4K>(TensorType::iq4_k);
}

}  // namespace sluice::inline SLUICE_ISA
