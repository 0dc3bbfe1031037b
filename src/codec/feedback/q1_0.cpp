#include "codec/legacy/q1_0.h"

#include "codec/feedback/half_scale.h"
#include "codec/feedback/kernel.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct FeedbackQ1_0 : ldlq::HalfScale<BlockQ1_0> {
  using Block = BlockQ1_0;
  static constexpr TensorType kType = TensorType::q1_0;
  static constexpr std::size_t kGroup = 1;
  static constexpr std::size_t kTogether = 4;
  static constexpr std::size_t kAlternatives = 1;

  static void set_code(Block& block, std::size_t i, unsigned code) noexcept {
    block.set_code(i, code);
  }
  static constexpr std::size_t candidates(Effort effort) noexcept {
    return effort == Effort::fast ? 4 : 8;
  }
  static ldlq::Ints candidate(const ldlq::Ints& plain, std::size_t n, Effort) noexcept {
    return beside(plain, n);
  }

  using Scale = ldlq::Floats;
  static Scale scale_of(const ldlq::Floats* factors, const ldlq::Ints& code) noexcept {
    return signed_scale(factors, code);
  }
  struct Group {
    explicit Group(const float (&)[1]) noexcept {}
    void nearest(const Scale (&scale)[kTogether], const ldlq::Floats (&target)[kTogether][1],
                 ldlq::Option<1> (&options)[1][kTogether]) const noexcept {
      for (std::size_t k = 0; k < kTogether; ++k) {
        const simd::FloatMask plus = target[k][0] >= 0;
        options[0][k].code = select(plus, ldlq::Ints(1), 0);
        options[0][k].decoded[0] = select(plus, scale[k], -scale[k]);
      }
    }
  };
};

}  // namespace

FeedbackKernel feedback_q1_0() noexcept {
  return ldlq::kernel<FeedbackQ1_0>();
}

}  // namespace sluice::inline SLUICE_ISA
