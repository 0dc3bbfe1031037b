#include "codec/k_quants/q2_k.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_q2_k() noexcept {
  return block_codec<BlockQ2_K>(TensorType::q2_k);
}

}  // namespace sluice::inline SLUICE_ISA
