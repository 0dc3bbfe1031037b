#include "codec/i_quants/iq2_xs.h"

#include "codec/feedback/kernel.h"
#include "codec/feedback/magnitudes.h"

namespace sluice::inline SLUICE_ISA {

FeedbackKernel feedback_iq2_xs() noexcept {
  return ldlq::kernel<ldlq::FeedbackMagnitudes<BlockIq2Xs, TensorType::iq2_xs, 6, 2>>();
}

}  // namespace sluice::inline SLUICE_ISA
