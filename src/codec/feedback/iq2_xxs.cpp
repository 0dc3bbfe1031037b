#include "codec/i_quants/iq2_xxs.h"

#include "codec/feedback/kernel.h"
#include "codec/feedback/magnitudes.h"

namespace sluice::inline SLUICE_ISA {

using FeedbackIq2Xxs = ldlq::FeedbackMagnitudes<BlockIq2Xxs, TensorType::iq2_xxs, 6, 4>;

FeedbackKernel feedback_iq2_xxs() noexcept {
  return ldlq::kernel<FeedbackIq2Xxs>();
}

}  // namespace sluice::inline SLUICE_ISA
