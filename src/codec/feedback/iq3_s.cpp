#include "codec/i_quants/iq3_s.h"

#include "codec/feedback/kernel.h"
#include "codec/feedback/magnitudes.h"

namespace sluice::inline SLUICE_ISA {

using FeedbackIq3S = ldlq::FeedbackMagnitudes<BlockIq3S, TensorType::iq3_s, 6, 4>;

FeedbackKernel feedback_iq3_s() noexcept {
  return ldlq::kernel<FeedbackIq3S>();
}

}  // namespace sluice::inline SLUICE_ISA
