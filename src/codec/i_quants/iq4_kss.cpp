#include "codec/i_quants/iq4_kss.h"

namespace sluice::inline SLUICE_ISA {

Codec codec_iq4_kss() noexcept {
  return block_codec<BlockIq4Kss>(TensorType::iq4_kss);
}

}  // namespace sluice::inline SLUICE_ISA
