#pragma once

// What a search finds is worth, for NEON: see iq1_search.cpp.

#if defined(SLUICE_NEON)

#include "codec/i_quants/iq1_neon_search.h"

namespace sluice::inline SLUICE_ISA::iq1 {
namespace {

/// Codes of the vectors for either shift, in bytes: those for +1/8, then those for -1/8.
struct Codes {
  Bytes of[kWidth];

  SLUICE_INLINE Codes(const Short& up, const Short& down) noexcept {
    // Of two coordinates, by their four flags; see kFlagsOfFour.
    constexpr Bytes kFirst = {0, 1, -1, 0, 0, 1, -1, 0, 0, 1, -1};
    constexpr Bytes kSecond = {0, 0, 0, 0, 1, 1, 1, 0, -1, -1, -1};
    const FlagBytes flags(up, down);
#pragma GCC unroll 2
    for (std::size_t four = 0; four < 2; ++four) {
      of[4 * four] = vqtbl1q_s8(kFirst, flags.of[four] & 15);
      of[4 * four + 1] = vqtbl1q_s8(kSecond, flags.of[four] & 15);
      of[4 * four + 2] = vqtbl1q_s8(kFirst, flags.of[four] >> 4);
      of[4 * four + 3] = vqtbl1q_s8(kSecond, flags.of[four] >> 4);
    }
  }
};

/// What a part's vectors are worth with a shift: see Choice.
struct Worth {
  float32x4_t twice_xy[2];
  float32x4_t yy[2];
};

/// Sums over a part's vectors.
struct NeonSums {
  Short wx = splat(0);        // sum w x code
  Short w = splat(0);         // sum w code
  Short w_of_any = splat(0);  // sum w where the code is not 0

  SLUICE_INLINE void add(const Short& code, const Short& w_j, const Short& wx_j) noexcept {
    const Short w_code = w_j * code;
    wx = vmlaq_s16(wx, wx_j, code);
    w += w_code;
    w_of_any = vmlaq_s16(w_of_any, w_code, code);
  }

  /// For a shift of kSign / 8.
  template <int kSign>
  SLUICE_INLINE Worth worth(const Groups& groups, std::size_t part) const noexcept {
    const int32x4_t sum_wx[2] = {vmovl_s16(vget_low_s16(wx)), vmovl_high_s16(wx)};
    // Four times (code + delta)^2 - delta^2, which is 4 + kSign * code where the code is not 0.
    const int32x4_t any[2] = {vshll_n_s16(vget_low_s16(w_of_any), 2),
                              vshll_high_n_s16(w_of_any, 2)};
    const int32x4_t yy[2] = {
        kSign > 0 ? vaddw_s16(any[0], vget_low_s16(w)) : vsubw_s16(any[0], vget_low_s16(w)),
        kSign > 0 ? vaddw_high_s16(any[1], w) : vsubw_high_s16(any[1], w)};
    Worth worth;
    for (std::size_t half = 0; half < 2; ++half) {
      const std::size_t at = 2 * part + half;
      const auto codes = vcvtq_f32_s32(sum_wx[half]) * groups.twice_wx_unit.part[at];
      const auto shift = groups.shift_wx.part[at];
      worth.twice_xy[half] = kSign > 0 ? codes + shift : codes - shift;
      worth.yy[half] =
          vcvtq_n_f32_s32(yy[half], 2) * groups.w_unit.part[at] + groups.shift_w.part[at];
    }
    return worth;
  }
};

SLUICE_INLINE void measure(const Groups& groups, std::size_t part, const Short& up_number,
                           const Short& down_number, Worth& up, Worth& down) noexcept {
  const Codes codes(up_number, down_number);
  NeonSums of_up;
  NeonSums of_down;
#pragma GCC unroll 8
  for (std::size_t j = 0; j < kWidth; ++j) {
    const Short& w = groups.w[j].part[part];
    const Short& wx = groups.wx[j].part[part];
    of_up.add(vmovl_s8(vget_low_s8(codes.of[j])), w, wx);
    of_down.add(vmovl_high_s8(codes.of[j]), w, wx);
  }
  up = of_up.worth<1>(groups, part);
  down = of_down.worth<-1>(groups, part);
}

SLUICE_INLINE void store(std::size_t part, const Short& code, const Worth& worth,
                         Choice& choice) noexcept {
  choice.code.part[part] = code;
  for (std::size_t half = 0; half < 2; ++half) {
    choice.twice_xy.part[2 * part + half] = worth.twice_xy[half];
    choice.yy.part[2 * part + half] = worth.yy[half];
  }
}

template <std::size_t kSets>
SLUICE_INLINE void find(const GroupFloats (&x)[kWidth], const Shorts (&share)[kWidth],
                        const GroupFloats& scale, Shorts& up, Shorts& down) noexcept {
  NeonFound found;
  find<kSets>(x, share, scale, found);
  for (std::size_t part = 0; part < Shorts::kParts; ++part) {
    up.part[part] = found.of_part[part][0];
    down.part[part] = found.of_part[part][1] | splat(kNegativeShift);
  }
}

template <std::size_t kSets>
SLUICE_INLINE void find_and_measure(const Groups& groups, const GroupFloats& scale, Choice& up,
                                    Choice& down) noexcept {
  NeonFound found;
  find<kSets>(groups.x, groups.share, scale, found);
#pragma GCC unroll 1
  for (std::size_t part = 0; part < Shorts::kParts; ++part) {
    const auto& [up_part, down_part] = found.of_part[part];
    Worth of_up;
    Worth of_down;
    measure(groups, part, up_part, down_part, of_up, of_down);
    store(part, up_part, of_up, up);
    store(part, down_part | splat(kNegativeShift), of_down, down);
  }
}

template <std::size_t kSets>
SLUICE_INLINE void find_better(const Groups& groups, const GroupFloats& scale,
                               Choice& choice) noexcept {
  NeonFound found;
  find<kSets>(groups.x, groups.share, scale, found);
#pragma GCC unroll 1
  for (std::size_t part = 0; part < Shorts::kParts; ++part) {
    const auto& [up, down] = found.of_part[part];
    Worth best;
    Worth other;
    measure(groups, part, up, down, best, other);
    int32x4_t better[2];
    for (std::size_t half = 0; half < 2; ++half) {
      const float32x4_t s = scale.part[2 * part + half];
      better[half] =
          s * other.yy[half] - other.twice_xy[half] < s * best.yy[half] - best.twice_xy[half];
      best.twice_xy[half] = better[half] ? other.twice_xy[half] : best.twice_xy[half];
      best.yy[half] = better[half] ? other.yy[half] : best.yy[half];
    }
    const uint16x8_t is_down = vuzp1q_u16((uint16x8_t)better[0], (uint16x8_t)better[1]);
    store(part, vbslq_s16(is_down, down | splat(kNegativeShift), up), best, choice);
  }
}

}  // namespace
}  // namespace sluice::inline SLUICE_ISA::iq1

#endif
