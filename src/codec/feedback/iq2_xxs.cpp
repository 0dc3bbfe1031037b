#include "codec/i_quants/iq2_xxs.h"

#include "codec/feedback/kernel.h"
#include "codec/feedback/magnitudes.h"

namespace sluice::inline SLUICE_ISA {

FeedbackKernel feedback_iq2_xxs() noexcept {
  return ldlq::kernel<ldlq::FeedbackMagnitudes<BlockIq2Xxs, TensorType::iq2_xxs, 6, 2>>();
}

}  // namespace sluice::inline SLUICE_ISA
