#include "codec/i_quants/iq3_xxs.h"

#include "codec/feedback/kernel.h"
#include "codec/feedback/magnitudes.h"

namespace sluice::inline SLUICE_ISA {

FeedbackKernel feedback_iq3_xxs() noexcept {
  return ldlq::kernel<ldlq::FeedbackMagnitudes<BlockIq3Xxs, TensorType::iq3_xxs, 6, 2>>();
}

}  // namespace sluice::inline SLUICE_ISA
