#include "codec/k_quants/q4_k.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_q4_k() noexcept {
  return block_codec<BlockQ4_K>(TensorType::q4_k);
}

}  // namespace sluice::inline SLUICE_ISA
