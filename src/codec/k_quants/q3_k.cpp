#include "codec/k_quants/q3_k.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_q3_k() noexcept {
  return block_codec<BlockQ3_K>(TensorType::q3_k);
}

}  // namespace sluice::inline SLUICE_ISA
