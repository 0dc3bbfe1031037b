#include "codec/trellis/iq2_kt.h"

#include "codec/feedback/trellis.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq2KtFormat {
  using Block = BlockIq2Kt;
  static constexpr TensorType kType = TensorType::iq2_kt;
  static constexpr const TrellisCodebook& kBook = kIq2KtBook;
  static constexpr std::size_t kCells = 64;
  static constexpr std::size_t kOfLane = 2;
};
using FeedbackIq2Kt = ldlq::FeedbackTrellis<Iq2KtFormat>;

}  // namespace

FeedbackKernel feedback_iq2_kt() noexcept {
  return ldlq::kernel<FeedbackIq2Kt>();
}

}  // namespace sluice::inline SLUICE_ISA
