#include "codec/i_quants/iq4_nl.h"

#include "codec/feedback/half_scale.h"
#include "codec/feedback/levels.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct FeedbackIq4Nl : ldlq::LevelGroups<BlockIq4Nl>, ldlq::SignedHalfScale<BlockIq4Nl> {
  /// 16 rows' blocks are encoded as those of one row: it takes that many at once.
  struct Block : BlockIq4Nl {
    static void encode(const EncodeRows& rows, std::byte* out) noexcept {
      float importance[kFeedbackRows * kWeights];
      for (std::size_t i = 0; i < kFeedbackRows * kWeights; ++i) {
        importance[i] = rows.importance[i % kWeights];
      }
      EncodeRows one = rows;
      one.rows = 1;
      one.row_elements = kFeedbackRows * kWeights;
      one.importance = importance;
      BlockIq4Nl::encode(one, out);
    }
  };
  static constexpr TensorType kType = TensorType::iq4_nl;

  static void set_code(Block& block, std::size_t g, unsigned code) noexcept {
    block.set_code(g, code);
  }

  static Scale scale_of(const ldlq::Floats* factors, const ldlq::Ints& code) noexcept {
    return scale_with(signed_scale(factors, code), 0);
  }
};

}  // namespace

FeedbackKernel feedback_iq4_nl() noexcept {
  return ldlq::kernel<FeedbackIq4Nl>();
}

}  // namespace sluice::inline SLUICE_ISA
