#include "codec/k_quants/q5_k.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_q5_k() noexcept {
  return block_codec<BlockQ5_K>(TensorType::q5_k);
}

}  // namespace sluice::inline SLUICE_ISA
