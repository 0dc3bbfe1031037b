#include "codec/i_quants/iq1_s.h"

#include "codec/feedback/iq1.h"
#include "codec/feedback/kernel.h"

namespace sluice::inline SLUICE_ISA {
namespace {

/// All groups of a sub-block have one shift: it belongs to the scale, and the two candidates of a
/// search are a scale with either shift.
struct FeedbackIq1S {
  using Block = BlockIq1S;
  static constexpr TensorType kType = TensorType::iq1_s;
  static constexpr std::size_t kSubBlock = 32;
  static constexpr std::size_t kGroup = ldlq::Iq1Group::kGroup;
  static constexpr std::size_t kTogether = ldlq::Iq1Group::kTogether;
  static constexpr std::size_t kAlternatives = 1;
  static constexpr std::size_t kFactors = 1;

  static std::uint16_t factor(const Block& block, std::size_t) noexcept { return block.d; }
  static void set_factor(Block& block, std::size_t, std::uint16_t half) noexcept { block.d = half; }
  static unsigned scale(const Block& block, std::size_t b) noexcept {
    return block.scale_and_shift(b);
  }
  static void set_scale(Block& block, std::size_t b, unsigned code) noexcept {
    block.set_scale_and_shift(b, code);
  }
  static void set_code(Block& block, std::size_t g, unsigned code) noexcept {
    block.set_index(g, iq1::entry_of(code) & 0x7ffu);
  }

  static constexpr std::size_t candidates(Effort effort) noexcept {
    return effort == Effort::fast ? 8 : 16;
  }
  static ldlq::Ints candidate(const ldlq::Ints& plain, std::size_t n, Effort effort) noexcept {
    const int scales = static_cast<int>(candidates(effort) / 2);
    const auto shift = static_cast<std::int32_t>(n % 2 * iq1::kScales);
    return ldlq::window(plain & (iq1::kScales - 1), n / 2, scales, 1, iq1::kScales) | shift;
  }

  using Scale = ldlq::Floats;
  static Scale scale_of(const ldlq::Floats* factors, const ldlq::Ints& code) noexcept {
    const ldlq::Ints scale = code & (iq1::kScales - 1);
    return factors[0] * to_floats(scale + scale + 1);
  }

  struct Group : ldlq::Iq1Group {
    using Iq1Group::Iq1Group;

    void nearest(const Scale (&scale)[kTogether], const Target& target,
                 Options (&options)[kAlternatives]) const noexcept {
      simd::Shorts up;
      simd::Shorts down;
      search(scale, target, up, down);
      const iq1::GroupFloats shift = join(ldlq::Floats(kIq1Delta), ldlq::Floats(-kIq1Delta));
      decode(narrow(widen(up, 0), widen(down, 1)), join(scale[0], scale[1]), shift, options[0]);
    }
  };
};

}  // namespace

FeedbackKernel feedback_iq1_s() noexcept {
  return ldlq::kernel<FeedbackIq1S>();
}

}  // namespace sluice::inline SLUICE_ISA
