#include "codec/i_quants/iq4_k.h"

#include "codec/feedback/levels.h"

namespace sluice::inline SLUICE_ISA {

FeedbackKernel feedback_iq4_k() noexcept {
  return ldlq::kernel<ldlq::LevelBlocks<BlockIq4K, TensorType::iq4_k, 3, 8>>();
}

}  // namespace sluice::inline SLUICE_ISA
