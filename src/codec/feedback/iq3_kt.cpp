#include "codec/trellis/iq3_kt.h"

#include "codec/feedback/near_trellis.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq3KtFormat {
  using Block = BlockIq3Kt;
  static constexpr TensorType kType = TensorType::iq3_kt;
  static constexpr const TrellisCodebook& kBook = kIq3KtBook;
  using Scales = ldlq::ScaleMultiples<Block::kMostMultiple, 12, 787>;
  static constexpr NearMargins kMargins = {5, 4};
  static constexpr std::size_t kBest = 6;
  static constexpr std::size_t kFast = 2;
};
using FeedbackIq3Kt = ldlq::FeedbackNearTrellis<Iq3KtFormat>;

}  // namespace

FeedbackKernel feedback_iq3_kt() noexcept {
  return ldlq::kernel<FeedbackIq3Kt>();
}

}  // namespace sluice::inline SLUICE_ISA
