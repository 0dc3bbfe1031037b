#include "codec/i_quants/iq3_xxs.h"

#include "codec/feedback/kernel.h"
#include "codec/feedback/magnitudes.h"

namespace sluice::inline SLUICE_ISA {

using FeedbackIq3Xxs = ldlq::FeedbackMagnitudes<BlockIq3Xxs, TensorType::iq3_xxs, 6, 4>;

FeedbackKernel feedback_iq3_xxs() noexcept {
  return ldlq::kernel<FeedbackIq3Xxs>();
}

}  // namespace sluice::inline SLUICE_ISA
