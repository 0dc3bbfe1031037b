#include "codec/k_quants/q6_k.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_q6_k() noexcept {
  return block_codec<BlockQ6_K>(TensorType::q6_k);
}

}  // namespace sluice::inline SLUICE_ISA
