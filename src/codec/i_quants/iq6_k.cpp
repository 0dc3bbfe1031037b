#include "codec/i_quants/iq6_k.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq6_k() noexcept {
  return block_codec<BlockIq6K>(TensorType::iq6_k);
}

}  // namespace sluice::inline SLUICE_ISA
