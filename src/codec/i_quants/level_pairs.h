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

  /// In ascending order.
  static constexpr Levels<8> kLevels = {-63, -40, -23, -10, 1, 13, 28, 47};

  static constexpr std::size_t kSize = 16;
  using Floats = simd::Floats;
  using Rows = std::array<Floats, kSize>;

  /// Values and weights, [position]. Both stay where they are.
  LevelPairs(const Rows& x, const Rows& w) noexcept : x_(x), w_(w) {
    for (std::size_t j = 0; j < kSize; ++j) {
      wx_[j] = w[j] * x[j];
      const Floats half = w[j] * 0.5f;
      for (std::size_t l = 0; l < kLevels.size(); ++l) halves_[l][j] = half * kLevels[l];
    }
  }
  const Rows& x() const noexcept { return x_; }

  template <bool, bool>
  LevelFit fit(const Floats& inverse, const Floats& /*shift*/) const noexcept {
    LevelFit fit;
    for (std::size_t r = 0; r < Floats::kParts; ++r) {
      Part xy = 0;
      Part yy = 0;
      for (std::size_t j = 0; j < kSize; j += 2) {
        const Found found = nearest(Kept{*this, j, r}, Kept{*this, j + 1, r}, part_of(inverse, r));
        xy += part_of(wx_[j], r) * found.first + part_of(wx_[j + 1], r) * found.second;
        yy += part_of(w_[j], r) * found.first * found.first +
              part_of(w_[j + 1], r) * found.second * found.second;
      }
      set_part(fit.xy, r, xy);
      set_part(fit.yy, r, yy);
    }
    return fit;
  }

  /// A pair's code is that of its first weight.
  template <typename OverZeros>
  void find_codes(const Floats& inverse, const Floats& /*shift*/, const Floats& multiple,
                  const Rows& q, std::uint8_t* code, OverZeros& gain) const noexcept {
    for (std::size_t j = 0; j < kSize; j += 2) {
      Floats level[2];
      for (std::size_t r = 0; r < Floats::kParts; ++r) {
        const Found found = nearest(Kept{*this, j, r}, Kept{*this, j + 1, r}, part_of(inverse, r));
        set_part(level[0], r, found.first);
        set_part(level[1], r, found.second);
      }
      std::uint8_t cells[Floats::kLanes];
      store_bytes(cells, Codes::cells(level[0], level[1]));
      for (std::size_t lane = 0; lane < Floats::kLanes; ++lane) {
        code[j * Floats::kLanes + lane] = code_of_cells(cells[lane]);
        code[(j + 1) * Floats::kLanes + lane] = 0;
      }
      for (std::size_t i = 0; i < 2; ++i) gain.add(x_[j + i], q[j + i], multiple * level[i]);
    }
  }

  using Part = simd::Part<float>;

  /// A weight times a value, and half of the weight times a level.
  struct Weighted {
    Part w;
    Part wx;
    template <std::size_t kLevel>
    SLUICE_INLINE Part half() const noexcept {
      return w * 0.5f * kLevels[kLevel];
    }
  };
  struct Found {
    Part first;
    Part second;
  };

  /// The pair of least weighted error. For each first level it has the best of the second levels that
  /// go with it; which these are shows in the names, and what several have in common is found once.
  /// A weight has what Weighted has, in a type of its own.
  template <typename Weight>
  static SLUICE_INLINE Found nearest(const Weight& first, const Weight& second,
                                     const Part& inverse) noexcept {
    const Part target = second.wx * inverse;
    const Gain m63 = gain<0>(second, target);
    const Gain m40 = gain<1>(second, target);
    const Gain m23 = gain<2>(second, target);
    const Gain m10 = gain<3>(second, target);
    const Gain p1 = gain<4>(second, target);
    const Gain p13 = gain<5>(second, target);
    const Gain p28 = gain<6>(second, target);
    const Gain p47 = gain<7>(second, target);
    const Gain m23_p13 = better(m23, p13);
    const Gain middle = better(m23_p13, p1);
    const Gain ends = better(m63, p47);
    const Gain ends_p13 = better(ends, p13);

    const Part target_first = first.wx * inverse;
    Part best = gain<0>(first, target_first).gain + m23_p13.gain;
    Found found = {kLevels[0], m23_p13.level};
    const auto consider = [&](const Gain& level, const Gain& with) noexcept {
      const Part sum = level.gain + with.gain;
      const auto wins = sum > best;
      best = max(best, sum);
      found = {select(wins, level.level, found.first), select(wins, with.level, found.second)};
    };
    consider(gain<1>(first, target_first), better(ends_p13, m10));
    consider(gain<2>(first, target_first), better(middle, better(m40, p28)));
    consider(gain<3>(first, target_first), better(ends_p13, p1));
    consider(gain<4>(first, target_first), better(middle, better(m10, p28)));
    consider(gain<5>(first, target_first), better(middle, better(m40, m10)));
    consider(gain<6>(first, target_first), better(better(ends, m23), better(p1, p28)));
    consider(gain<7>(first, target_first), m23_p13);
    return found;
  }

  /// Of a pair of levels.
  static std::uint8_t code_of(float first, float second) noexcept {
    return code_of_cells(Codes::cell(first) * 16 + Codes::cell(second));
  }

 private:
  /// Codes by the eighths of the levels' range that two levels are in, no two in the same.
  struct Codes {
    std::array<std::uint8_t, 256> of_cells{};

    constexpr Codes() noexcept {
      for (std::size_t i = 0; i < kCount; ++i) {
        of_cells[cell(kPairs[i].first) * 16 + cell(kPairs[i].second)] =
            static_cast<std::uint8_t>(i);
      }
    }
    static constexpr std::size_t cell(float level) noexcept {
      return static_cast<std::size_t>((level + 64) * 0.125f);
    }
    /// The places in of_cells.
    static SLUICE_INLINE simd::Ints cells(const Floats& first, const Floats& second) noexcept {
      const simd::Ints upper = (to_ints(first) + 64) & 0x78;
      return (upper + upper) | simd::shift_right<3>(to_ints(second) + 64);
    }
  };

  static std::uint8_t code_of_cells(std::size_t cells) noexcept {
    static constexpr Codes kCodes;
    return kCodes.of_cells[cells];
  }

  /// A weight of these rows, as Weighted is one: what does not depend on the scale was found before,
  /// and is read where it is used, since there are not registers for all of it.
  struct Kept {
    const LevelPairs& rows;
    std::size_t j;
    std::size_t part;
    Part wx = part_of(rows.wx_[j], part);
    template <std::size_t kLevel>
    SLUICE_INLINE Part half() const noexcept {
      return part_of(rows.halves_[kLevel][j], part);
    }
  };

  /// A level and what it takes from half of the error that zero would have: y (w x / s - w y / 2) at
  /// scale s.
  struct Gain {
    Part gain;
    Part level;
  };
  template <std::size_t kLevel, typename Weight>
  static SLUICE_INLINE Gain gain(const Weight& weight, const Part& target) noexcept {
    constexpr float kY = kLevels[kLevel];
    return {(target - weight.template half<kLevel>()) * kY, kY};
  }
  static SLUICE_INLINE Gain better(const Gain& a, const Gain& b) noexcept {
    return {max(a.gain, b.gain), select(a.gain >= b.gain, a.level, b.level)};
  }

  const Rows& x_;
  const Rows& w_;
  Rows wx_;
  std::array<Rows, kLevels.size()> halves_;  ///< [level]
};

}  // namespace sluice::inline SLUICE_ISA
