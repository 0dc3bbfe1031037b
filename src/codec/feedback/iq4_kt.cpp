#include "codec/trellis/iq4_kt.h"

#include "codec/feedback/near_trellis.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq4KtFormat {
  using Block = BlockIq4Kt;
  static constexpr TensorType kType = TensorType::iq4_kt;
  static constexpr const TrellisCodebook& kBook = kIq4KtBook;
  using Scales = ldlq::ScaleMultiples<Block::kMostMultiple, 48, 887>;
  static constexpr NearMargins kMargins = {5, 4};
  static constexpr std::size_t kBest = 3;
  static constexpr std::size_t kFast = 1;
};
using FeedbackIq4Kt = ldlq::FeedbackNearTrellis<Iq4KtFormat>;

}  // namespace

FeedbackKernel feedback_iq4_kt() noexcept {
  return ldlq::kernel<FeedbackIq4Kt>();
}

}  // namespace sluice::inline SLUICE_ISA
