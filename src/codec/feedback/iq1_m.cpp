#include "codec/i_quants/iq1_m.h"

#include "codec/feedback/iq1.h"
#include "codec/feedback/kernel.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct FeedbackIq1M {
  using Block = BlockIq1M;
  static constexpr TensorType kType = TensorType::iq1_m;
  static constexpr std::size_t kSubBlock = 16;
  static constexpr std::size_t kGroup = ldlq::Iq1Group::kGroup;
  static constexpr std::size_t kTogether = ldlq::Iq1Group::kTogether;
  static constexpr std::size_t kAlternatives = 2;  // a shift each
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
    return ldlq::window(plain, n, static_cast<int>(candidates(effort)), 1, iq1::kScales);
  }

  using Scale = ldlq::Floats;
  static Scale scale_of(const ldlq::Floats* factors, const ldlq::Ints& code) noexcept {
    return factors[0] * to_floats(code + code + 1);
  }

  struct Group : ldlq::Iq1Group {
    using Iq1Group::Iq1Group;

    void nearest(const Scale (&scale)[kTogether], const Target& target,
                 Options (&options)[kAlternatives]) const noexcept {
      simd::Shorts up;
      simd::Shorts down;
      search(scale, target, up, down);
      const iq1::GroupFloats scales = join(scale[0], scale[1]);
      decode(up, scales, kIq1Delta, options[0]);
      decode(down, scales, -kIq1Delta, options[1]);
    }
  };
};

}  // namespace

FeedbackKernel feedback_iq1_m() noexcept {
  return ldlq::kernel<FeedbackIq1M>();
}

}  // namespace sluice::inline SLUICE_ISA
