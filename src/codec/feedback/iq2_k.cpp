#include "codec/i_quants/iq2_k.h"

#include "codec/feedback/levels.h"

namespace sluice::inline SLUICE_ISA {

FeedbackKernel feedback_iq2_k() noexcept {
  return ldlq::kernel<ldlq::LevelBlocks<BlockIq2K, TensorType::iq2_k, 3, 4>>();
}

}  // namespace sluice::inline SLUICE_ISA
