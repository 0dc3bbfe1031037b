#include "codec/i_quants/iq3_k.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq3_k() noexcept {
  return block_codec<BlockIq3K>(TensorType::iq3_k);
}

}  // namespace sluice::inline SLUICE_ISA
