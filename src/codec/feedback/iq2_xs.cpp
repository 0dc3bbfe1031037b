#include "codec/i_quants/iq2_xs.h"

#include "codec/feedback/kernel.h"
#include "codec/feedback/magnitudes.h"

namespace sluice::inline SLUICE_ISA {

using FeedbackIq2Xs = ldlq::FeedbackMagnitudes<BlockIq2Xs, TensorType::iq2_xs, 6, 4>;

FeedbackKernel feedback_iq2_xs() noexcept {
  return ldlq::kernel<FeedbackIq2Xs>();
}

}  // namespace sluice::inline SLUICE_ISA
