#include "codec/i_quants/iq5_k.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq5_k() noexcept {
  return block_codec<BlockIq5K>(TensorType::iq5_k);
}

}  // namespace sluice::inline SLUICE_ISA
