#include "codec/i_quants/iq3_k.h"

#include "codec/feedback/levels.h"

namespace sluice::inline SLUICE_ISA {

FeedbackKernel feedback_iq3_k() noexcept {
  return ldlq::kernel<ldlq::LevelBlocks<BlockIq3K, TensorType::iq3_k, 3, 8>>();
}

}  // namespace sluice::inline SLUICE_ISA
