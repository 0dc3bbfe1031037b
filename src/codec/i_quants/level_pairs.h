#pragma once

// IQ2_KL's codebook: 32 pairs out of 8 x 8 levels, for two neighbouring weights each.

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/i_quants/level_fit.h"

namespace sluice::inline SLUICE_ISA {

class LevelPairs {
 public:
  static constexpr std::size_t kCount = 32;
  struct Pair {
    float first;
    float second;
  };
  /// In the order of their codes.
  static constexpr std::array<Pair, kCount> kPairs = {
      {{-63, -23}, {-63, 13}, {-40, -63}, {-40, -10}, {-40, 13}, {-40, 47}, {-23, -40}, {-23, -23},
       {-23, 1},   {-23, 13}, {-23, 28},  {-10, -63}, {-10, 1},  {-10, 13}, {-10, 47},  {1, -23},
       {1, -10},   {1, 1},    {1, 13},    {1, 28},    {13, -40}, {13, -23}, {13, -10},  {13, 1},
       {13, 13},   {28, -63}, {28, -23},  {28, 1},    {28, 28},  {28, 47},  {47, -23},  {47, 13}}};

  static constexpr std::size_t kSize = 16;
  using Floats = simd::Floats;
  using Rows = std::array<Floats, kSize>;

  /// Values and weights, [position]. Both stay where they are.
  LevelPairs(const Rows& x, const Rows& w) noexcept : x_(x), w_(w) {}
  const Rows& x() const noexcept { return x_; }

  template <bool, bool>
  LevelFit fit(const Floats& inverse, const Floats& /*shift*/) const noexcept {
    LevelFit fit;
    for (std::size_t r = 0; r < Floats::kParts; ++r) {
      Part xy = 0;
      Part yy = 0;
      for (std::size_t j = 0; j < kSize; j += 2) {
        const Weighted first = weighted(j, r);
        const Weighted second = weighted(j + 1, r);
        const Found found = nearest(first, second, part_of(inverse, r));
        xy += first.wx * found.first + second.wx * found.second;
        yy += first.w * found.first * found.first + second.w * found.second * found.second;
      }
      set_part(fit.xy, r, xy);
      set_part(fit.yy, r, yy);
    }
    return fit;
  }

  /// A pair's code is that of its first weight.
  void find_codes(const Floats& inverse, const Floats& /*shift*/, const Floats& multiple,
                  const Rows& q, std::uint8_t* code, GainOverZeros& gain) const noexcept {
    for (std::size_t j = 0; j < kSize; j += 2) {
      Floats level[2];
      for (std::size_t r = 0; r < Floats::kParts; ++r) {
        const Found found = nearest(weighted(j, r), weighted(j + 1, r), part_of(inverse, r));
        set_part(level[0], r, found.first);
        set_part(level[1], r, found.second);
      }
      for (std::size_t lane = 0; lane < Floats::kLanes; ++lane) {
        code[j * Floats::kLanes + lane] = code_of(level[0][lane], level[1][lane]);
        code[(j + 1) * Floats::kLanes + lane] = 0;
      }
      for (std::size_t i = 0; i < 2; ++i) gain.add(x_[j + i], q[j + i], multiple * level[i]);
    }
  }

  using Part = simd::Part<float>;

  struct Weighted {
    Part w;
    Part wx;
  };
  struct Found {
    Part first;
    Part second;
  };

  /// The pair of least weighted error. For each first level it has the best of the second levels that
  /// go with it; which these are shows in the names, and what several have in common is found once.
  static SLUICE_INLINE Found nearest(const Weighted& first, const Weighted& second,
                                     const Part& inverse) noexcept {
    const Part half = second.w * 0.5f;
    const Part target = second.wx * inverse;
    const auto of = [&](float level) noexcept { return gain(level, half, target); };
    const Gain m63 = of(-63);
    const Gain m40 = of(-40);
    const Gain m23 = of(-23);
    const Gain m10 = of(-10);
    const Gain p1 = of(1);
    const Gain p13 = of(13);
    const Gain p28 = of(28);
    const Gain p47 = of(47);
    const Gain m23_p13 = better(m23, p13);
    const Gain middle = better(m23_p13, p1);
    const Gain ends = better(m63, p47);
    const Gain ends_p13 = better(ends, p13);

    const Part half_first = first.w * 0.5f;
    const Part target_first = first.wx * inverse;
    Part best = gain(-63, half_first, target_first).gain + m23_p13.gain;
    Found found = {-63, m23_p13.level};
    const auto consider = [&](float level, const Gain& with) noexcept {
      const Part sum = gain(level, half_first, target_first).gain + with.gain;
      const auto wins = sum > best;
      best = max(best, sum);
      found = {select(wins, Part(level), found.first), select(wins, with.level, found.second)};
    };
    consider(-40, better(ends_p13, m10));
    consider(-23, better(middle, better(m40, p28)));
    consider(-10, better(ends_p13, p1));
    consider(1, better(middle, better(m10, p28)));
    consider(13, better(middle, better(m40, m10)));
    consider(28, better(better(ends, m23), better(p1, p28)));
    consider(47, m23_p13);
    return found;
  }

  /// Codes by the eighths of the levels' range that two levels are in, no two in the same.
  struct Codes {
    std::array<std::array<std::uint8_t, 16>, 16> code{};

    constexpr Codes() noexcept {
      for (std::size_t i = 0; i < kCount; ++i) {
        code[cell(kPairs[i].first)][cell(kPairs[i].second)] = static_cast<std::uint8_t>(i);
      }
    }
    static constexpr std::size_t cell(float level) noexcept {
      return static_cast<std::size_t>((level + 64) * 0.125f);
    }
  };

  /// Of a pair of levels.
  static std::uint8_t code_of(float first, float second) noexcept {
    static constexpr Codes kCodes;
    return kCodes.code[Codes::cell(first)][Codes::cell(second)];
  }

 private:
  SLUICE_INLINE Weighted weighted(std::size_t j, std::size_t r) const noexcept {
    const Part w = part_of(w_[j], r);
    return {w, w * part_of(x_[j], r)};
  }

  /// A level and what it takes from half of the error that zero would have: y (w x / s - w y / 2) at
  /// scale s.
  struct Gain {
    Part gain;
    Part level;
  };
  static SLUICE_INLINE Gain gain(float level, const Part& half_w, const Part& wx) noexcept {
    return {(wx - half_w * level) * level, level};
  }
  static SLUICE_INLINE Gain better(const Gain& a, const Gain& b) noexcept {
    return {max(a.gain, b.gain), select(a.gain >= b.gain, a.level, b.level)};
  }

  const Rows& x_;
  const Rows& w_;
};

}  // namespace sluice::inline SLUICE_ISA
