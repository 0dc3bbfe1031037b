#include "codec/i_quants/iq1_m.h"

#include "codec/feedback/kernel.h"
#include "codec/i_quants/iq1_search.h"

namespace sluice::inline SLUICE_ISA {
namespace {

/// Two candidates of 16 rows are the 32 lanes of a search, which gives the best codes for either
/// shift.
struct FeedbackIq1M {
  using Block = BlockIq1M;
  static constexpr TensorType kType = TensorType::iq1_m;
  static constexpr std::size_t kSubBlock = 16;
  static constexpr std::size_t kGroup = 8;
  static constexpr std::size_t kTogether = 2;
  static constexpr std::size_t kAlternatives = 2;
  static constexpr std::size_t kFactors = 1;

  static std::uint16_t factor(const Block& block, std::size_t) noexcept { return block.d(); }
  static void set_factor(Block& block, std::size_t, std::uint16_t half) noexcept {
    block.set_d(half);
  }
  static unsigned scale(const Block& block, std::size_t b) noexcept { return block.scale(b); }
  static void set_scale(Block& block, std::size_t b, unsigned code) noexcept {
    block.set_scale(b, code);
  }
  static void set_code(Block& block, std::size_t g, unsigned code) noexcept {
    block.set_entry(g, iq1::entry_of(code));
  }

  static constexpr std::size_t candidates(Effort effort) noexcept {
    return effort == Effort::fast ? 4 : 8;
  }
  static ldlq::Ints candidate(const ldlq::Ints& plain, std::size_t n, Effort effort) noexcept {
    return ldlq::window(plain, n, effort == Effort::fast ? 4 : 8, 1, 8);
  }

  using Scale = ldlq::Floats;
  static Scale scale_of(const ldlq::Floats* factors, const ldlq::Ints& code) noexcept {
    return factors[0] * to_floats(code + code + 1);
  }

  class Group {
   public:
    explicit Group(const float (&metric)[kGroup]) noexcept {
      float most = 0x1p-100f;
      for (const float m : metric) most = most < m ? m : most;
      for (std::size_t j = 0; j < kGroup; ++j) {
        share_[j] =
            static_cast<std::int16_t>(static_cast<int>(metric[j] / most * 4095 + 0.5f) * 16);
      }
    }
    void nearest(const Scale (&scale)[kTogether], const ldlq::Floats (&target)[kTogether][kGroup],
                 ldlq::Option<kGroup> (&options)[kAlternatives][kTogether]) const noexcept {
      iq1::GroupFloats x[kGroup];
      for (std::size_t j = 0; j < kGroup; ++j) x[j] = join(target[0][j], target[1][j]);
      simd::Shorts code[kAlternatives];
      iq1::nearest<iq1::kAllSets>(x, share_, join(scale[0], scale[1]), code[0], code[1]);
      for (std::size_t a = 0; a < kAlternatives; ++a) {
        decode(code[a], a == 0 ? kIq1Delta : -kIq1Delta, scale, options[a]);
      }
    }

   private:
    static void decode(const simd::Shorts& code, float shift, const Scale (&scale)[kTogether],
                       ldlq::Option<kGroup> (&options)[kTogether]) noexcept {
      const simd::Shorts flags = iq1::flags_of(code & (iq1::kNegativeShift - 1));
      for (std::size_t k = 0; k < kTogether; ++k) options[k].code = widen(code, k);
      const iq1::GroupFloats s = join(scale[0], scale[1]);
      const iq1::GroupFloats middle = s * shift;
      const iq1::GroupFloats high = s * (1 + shift);
      const iq1::GroupFloats low = s * (shift - 1);
      for (std::size_t j = 0; j < kGroup; ++j) {
        const auto plus = widen(any_bit(flags, 1 << (2 * j)));
        const auto minus = widen(any_bit(flags, 2 << (2 * j)));
        const iq1::GroupFloats y = select(plus, high, select(minus, low, middle));
        for (std::size_t k = 0; k < kTogether; ++k) options[k].decoded[j] = half(y, k);
      }
    }

    simd::Shorts share_[kGroup];
  };
};

}  // namespace

FeedbackKernel feedback_iq1_m() noexcept {
  return ldlq::kernel<FeedbackIq1M>();
}

}  // namespace sluice::inline SLUICE_ISA
