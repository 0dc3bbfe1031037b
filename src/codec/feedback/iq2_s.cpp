#include "codec/i_quants/iq2_s.h"

#include "codec/feedback/kernel.h"
#include "codec/feedback/magnitudes.h"

namespace sluice::inline SLUICE_ISA {

using FeedbackIq2S = ldlq::FeedbackMagnitudes<BlockIq2S, TensorType::iq2_s, 6, 4>;

FeedbackKernel feedback_iq2_s() noexcept {
  return ldlq::kernel<FeedbackIq2S>();
}

}  // namespace sluice::inline SLUICE_ISA
