#include "codec/i_quants/iq5_k.h"

#include "codec/feedback/levels.h"

namespace sluice::inline SLUICE_ISA {

FeedbackKernel feedback_iq5_k() noexcept {
  return ldlq::kernel<ldlq::LevelBlocks<BlockIq5K, TensorType::iq5_k, 3, 8>>();
}

}  // namespace sluice::inline SLUICE_ISA
