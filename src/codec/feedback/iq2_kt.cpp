#include "codec/trellis/iq2_kt.h"

#include "codec/feedback/trellis.h"

namespace sluice::inline SLUICE_ISA {
namespace {

using FeedbackIq2Kt = ldlq::FeedbackTrellis<BlockIq2Kt, TensorType::iq2_kt, kIq2KtBook, 8>;

}  // namespace

FeedbackKernel feedback_iq2_kt() noexcept {
  FeedbackKernel kernel = ldlq::kernel<FeedbackIq2Kt>();
  kernel.runtime_factor = 1.05f;
  return kernel;
}

}  // namespace sluice::inline SLUICE_ISA
