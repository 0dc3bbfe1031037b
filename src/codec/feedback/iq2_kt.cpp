#include "codec/trellis/iq2_kt.h"

#include "codec/feedback/trellis.h"

namespace sluice::inline SLUICE_ISA {
namespace {

using FeedbackIq2Kt = ldlq::FeedbackTrellis<BlockIq2Kt, TensorType::iq2_kt, kIq2KtBook, 8>;

}  // namespace

FeedbackKernel feedback_iq2_kt() noexcept {
  return ldlq::kernel<FeedbackIq2Kt>();
}

}  // namespace sluice::inline SLUICE_ISA
