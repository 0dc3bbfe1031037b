#include "codec/legacy/q2_0.h"

#include "codec/feedback/half_scale.h"
#include "codec/feedback/k_quants.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct FeedbackQ2_0 : ldlq::NumberCodes<64, 3>, ldlq::SignedHalfScale<BlockQ2_0> {
  using Block = BlockQ2_0;
  using NumberCodes::kSubBlock;
  static constexpr TensorType kType = TensorType::q2_0;

  static void set_code(Block& block, std::size_t i, unsigned code) noexcept {
    block.set_code(i, code);
  }
  static ldlq::Line scale_of(const ldlq::Floats* factors, const ldlq::Ints& code) noexcept {
    const ldlq::Floats step = signed_scale(factors, code);
    return {step, step};
  }
};

}  // namespace

FeedbackKernel feedback_q2_0() noexcept {
  return ldlq::kernel<FeedbackQ2_0>();
}

}  // namespace sluice::inline SLUICE_ISA
