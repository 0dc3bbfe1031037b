#pragma once

// How groups of IQ1_M and IQ1_S are searched, and of the types that have their codes: two candidates of
// 16 rows are the 32 lanes of a search that gives the best codes for either shift.

#include "codec/feedback/frame.h"
#include "codec/i_quants/iq1_encoder.h"

namespace sluice::inline SLUICE_ISA::ldlq {

struct Iq1Groups {
  static constexpr std::size_t kGroup = iq1::kWidth;
  static constexpr std::size_t kTogether = 2;
  using Scale = Floats;
};

class Iq1Group : public Iq1Groups {
 public:
  using Target = Floats[kTogether][kGroup];
  using Options = Option<kGroup>[kTogether];

  explicit Iq1Group(const float (&metric)[kGroup]) noexcept {
    float most = 0x1p-100f;
    for (const float m : metric) most = most < m ? m : most;
    for (std::size_t j = 0; j < kGroup; ++j) {
      const float share = metric[j] * (4095 / most) + 0.5f;
      share_[j] = static_cast<std::int16_t>(static_cast<int>(share) << iq1::kShareShift);
    }
  }

 protected:
  /// Codes (iq1::Choice) for shift +1/8, and for -1/8.
  void search(const Floats (&scale)[kTogether], const Target& target, simd::Shorts& up,
              simd::Shorts& down) const noexcept {
    iq1::GroupFloats x[kGroup];
    for (std::size_t j = 0; j < kGroup; ++j) x[j] = join(target[0][j], target[1][j]);
    iq1::nearest<iq1::kAllSets>(x, share_, join(scale[0], scale[1]), up, down);
  }

  /// What codes decode to at these scales and shifts, both of 32 lanes.
  static void decode(const simd::Shorts& code, const iq1::GroupFloats& scale,
                     const iq1::GroupFloats& shift, Options& options) noexcept {
    const simd::Shorts flags = iq1::flags_of(code & (iq1::kNegativeShift - 1));
    for (std::size_t k = 0; k < kTogether; ++k) options[k].code = widen(code, k);
    const iq1::GroupFloats middle = scale * shift;
    const iq1::GroupFloats high = scale * (shift + 1);
    const iq1::GroupFloats low = scale * (shift - 1);
    for (std::size_t j = 0; j < kGroup; ++j) {
      const auto plus = widen(any_bit(flags, 1 << (2 * j)));
      const auto minus = widen(any_bit(flags, 2 << (2 * j)));
      const iq1::GroupFloats y = select(plus, high, select(minus, low, middle));
      for (std::size_t k = 0; k < kTogether; ++k) options[k].decoded[j] = half(y, k);
    }
  }

 private:
  simd::Shorts share_[kGroup];
};

/// Each group has a shift of its own. A scale's code is its place among `kMultiples`; few or many of
/// these are tried, beginning `kBefore` the plain encoder's.
template <iq1::Multiples kMultiples, std::size_t kFew, std::size_t kMany, int kBefore>
struct GroupShifts : Iq1Groups {
  static constexpr std::size_t kAlternatives = 2;  // a shift each

  static constexpr std::size_t candidates(Effort effort) noexcept {
    return effort == Effort::fast ? kFew : kMany;
  }
  static Ints candidate(const Ints& plain, std::size_t n, Effort effort) noexcept {
    return window(plain, n, static_cast<int>(candidates(effort)), kBefore, kMultiples.count);
  }
  static Floats scale_of(const Floats* factors, const Ints& code) noexcept {
    return factors[0] * to_floats(code * kMultiples.step + kMultiples.first);
  }

  struct Group : Iq1Group {
    using Iq1Group::Iq1Group;

    void nearest(const Floats (&scale)[kTogether], const Target& target,
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

/// All groups of a sub-block have one shift: it belongs to the scale, above whose code it is, and the two
/// candidates of a search are a scale with either shift.
struct SubBlockShifts : Iq1Groups {
  static constexpr std::size_t kAlternatives = 1;

  static constexpr std::size_t candidates(Effort effort) noexcept {
    return effort == Effort::fast ? 8 : 16;
  }
  static Ints candidate(const Ints& plain, std::size_t n, Effort effort) noexcept {
    const int scales = static_cast<int>(candidates(effort) / 2);
    const auto shift = static_cast<std::int32_t>(n % 2 * iq1::kScales);
    return window(plain & (iq1::kScales - 1), n / 2, scales, 1, iq1::kScales) | shift;
  }
  static Floats scale_of(const Floats* factors, const Ints& code) noexcept {
    const Ints scale = code & (iq1::kScales - 1);
    return factors[0] * to_floats(scale + scale + 1);
  }

  struct Group : Iq1Group {
    using Iq1Group::Iq1Group;

    void nearest(const Floats (&scale)[kTogether], const Target& target,
                 Options (&options)[kAlternatives]) const noexcept {
      simd::Shorts up;
      simd::Shorts down;
      search(scale, target, up, down);
      const iq1::GroupFloats shift = join(Floats(kIq1Delta), Floats(-kIq1Delta));
      decode(narrow(widen(up, 0), widen(down, 1)), join(scale[0], scale[1]), shift, options[0]);
    }
  };
};

}  // namespace sluice::inline SLUICE_ISA::ldlq
