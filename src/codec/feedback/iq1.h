#pragma once

// How groups of IQ1_M and IQ1_S are searched: two candidates of 16 rows are the 32 lanes of a search
// that gives the best codes for either shift.

#include "codec/feedback/frame.h"
#include "codec/i_quants/iq1_encoder.h"

namespace sluice::inline SLUICE_ISA::ldlq {

class Iq1Group {
 public:
  static constexpr std::size_t kGroup = iq1::kWidth;
  static constexpr std::size_t kTogether = 2;
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

}  // namespace sluice::inline SLUICE_ISA::ldlq
