#include "codec/trellis/iq1_kt.h"

#include "codec/feedback/trellis.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq1KtFormat {
  using Block = BlockIq1Kt;
  static constexpr TensorType kType = TensorType::iq1_kt;
  static constexpr const TrellisCodebook& kBook = kIq1KtBook;
  static constexpr std::size_t kCells = 32;
  static constexpr std::size_t kOfLane = 1;
};
using FeedbackIq1Kt = ldlq::FeedbackTrellis<Iq1KtFormat>;

}  // namespace

FeedbackKernel feedback_iq1_kt() noexcept {
  return ldlq::kernel<FeedbackIq1Kt>();
}

}  // namespace sluice::inline SLUICE_ISA
