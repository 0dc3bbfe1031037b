#include "codec/i_quants/iq3_s.h"

#include "codec/feedback/kernel.h"
#include "codec/feedback/magnitudes.h"

namespace sluice::inline SLUICE_ISA {

FeedbackKernel feedback_iq3_s() noexcept {
  return ldlq::kernel<ldlq::FeedbackMagnitudes<BlockIq3S, TensorType::iq3_s, 6, 2>>();
}

}  // namespace sluice::inline SLUICE_ISA
