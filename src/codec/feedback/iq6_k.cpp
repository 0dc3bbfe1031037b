#include "codec/i_quants/iq6_k.h"

#include "codec/feedback/levels.h"

namespace sluice::inline SLUICE_ISA {

FeedbackKernel feedback_iq6_k() noexcept {
  return ldlq::kernel<ldlq::LevelBlocks<BlockIq6K, TensorType::iq6_k, 3, 8, 2>>();
}

}  // namespace sluice::inline SLUICE_ISA
