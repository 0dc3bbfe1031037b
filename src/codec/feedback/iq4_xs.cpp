#include "codec/i_quants/iq4_xs.h"

#include "codec/feedback/levels.h"

namespace sluice::inline SLUICE_ISA {

FeedbackKernel feedback_iq4_xs() noexcept {
  return ldlq::kernel<ldlq::LevelBlocks<BlockIq4Xs, TensorType::iq4_xs, 3, 8>>();
}

}  // namespace sluice::inline SLUICE_ISA
