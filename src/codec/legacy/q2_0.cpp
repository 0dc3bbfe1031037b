#include "codec/legacy/q2_0.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_q2_0() noexcept {
  return block_codec<BlockQ2_0>(TensorType::q2_0);
}

}  // namespace sluice::inline SLUICE_ISA
