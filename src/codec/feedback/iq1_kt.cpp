#include "codec/trellis/iq1_kt.h"

#include "codec/feedback/trellis.h"

namespace sluice::inline SLUICE_ISA {
namespace {

using FeedbackIq1Kt = ldlq::FeedbackTrellis<BlockIq1Kt, TensorType::iq1_kt, kIq1KtBook, 14>;

}  // namespace

FeedbackKernel feedback_iq1_kt() noexcept {
  return ldlq::kernel<FeedbackIq1Kt>();
}

}  // namespace sluice::inline SLUICE_ISA
