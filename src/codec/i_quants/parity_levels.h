#pragma once

// IQ4_KSS's codes: of four weights, a word's, the bits that are set are an even number.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "codec/i_quants/level_fit.h"

namespace sluice::inline SLUICE_ISA {

/// Every second level, as it were: those whose codes have an even number of bits set, or an odd one.
/// A weight has a nearest level among either; the cheapest change to a word of the wrong parity is the
/// other one for that weight where the two differ least (as points of the lattice D4 are found).
class ParityLevels {
 public:
  static constexpr std::size_t kSize = 16;
  using Floats = simd::Floats;
  using Rows = std::array<Floats, kSize>;

  /// Values and weights, [position]. Both stay where they are.
  ParityLevels(const Rows& x, const Rows& w) noexcept : x_(x), w_(w) {}
  const Rows& x() const noexcept { return x_; }

  template <bool, bool>
  LevelFit fit(const Floats& inverse, const Floats& shift = 0) const noexcept {
    LevelFit fit{0, 0};
    for (std::size_t j = 0; j < kSize; j += 2) {
      const Word word(*this, j, inverse, shift);
      for (std::size_t i = 0; i < 2; ++i) {
        const Floats level = word.weight[i].level() + shift;
        const Floats wy = w_[j + i] * level;
        fit.xy += wy * x_[j + i];
        fit.yy += wy * level;
      }
    }
    return fit;
  }

  template <typename Gain>
  void find_codes(const Floats& inverse, const Floats& shift, const Floats& multiple, const Rows& q,
                  std::uint8_t* code, Gain& gain) const noexcept {
    for (std::size_t j = 0; j < kSize; j += 2) {
      const Word word(*this, j, inverse, shift);
      for (std::size_t i = 0; i < 2; ++i) {
        const Floats found = word.weight[i].level();
        simd::store_bytes(code + (j + i) * Floats::kLanes, code_of(found));
        gain.add(x_[j + i], q[j + i], multiple * (found + shift));
      }
    }
  }

  /// What is nearest to a value among the levels, and among those of the other parity.
  struct Nearest {
    Floats level;
    Floats other;
    Floats parity;  ///< of the nearest level's code; -1: odd
  };
  static Nearest nearest_of(const Floats& value) noexcept {
    const Floats even = nearest<0>(value);
    const Floats odd = nearest<1>(value);
    const simd::FloatMask is_odd = abs(value - odd) < abs(value - even);
    return {select(is_odd, odd, even), select(is_odd, even, odd), select(is_odd, Floats(-1), 1)};
  }

  static simd::Ints code_of(const Floats& level) noexcept {
    simd::Ints codes;
    for (std::size_t r = 0; r < Floats::kParts; ++r) {
      set_part(codes, r, NearestLevel<All>::codes(part_of(level, r)));
    }
    return codes;
  }

 private:
  struct All {
    static constexpr Levels<16> kLevels = kIq4Levels;
  };
  template <int kParity>
  struct Half {
    static constexpr Levels<8> kLevels = [] {
      Levels<8> levels{};
      std::size_t n = 0;
      for (unsigned code = 0; code < 16; ++code) {
        if (std::popcount(code) % 2 == kParity) levels[n++] = kIq4Levels[code];
      }
      return levels;
    }();
  };

  template <int kParity>
  static Floats nearest(const Floats& values) noexcept {
    Floats level;
    for (std::size_t r = 0; r < Floats::kParts; ++r) {
      simd::set_part(level, r, NearestLevel<Half<kParity>>::nearest(simd::part_of(values, r)));
    }
    return level;
  }

  struct Weight {
    Floats even;  ///< the nearest level of even parity
    Floats odd;
    Floats more;  ///< how much larger the error of the odd one is; negative: it is nearer

    Floats level() const noexcept { return select(more < 0, odd, even); }
    void change(const simd::FloatMask& where) noexcept { more = select(where, -more, more); }
  };

  /// Positions j and j + 1 of a lane and of the lane 8 beside it, which both find the same.
  struct Word {
    Weight weight[2];

    Word(const ParityLevels& rows, std::size_t j, const Floats& inverse,
         const Floats& shift) noexcept {
      static constexpr float kFirst[] = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0};
      for (std::size_t i = 0; i < 2; ++i) {
        const Floats value = rows.x_[j + i] * inverse - shift;
        Weight& at = weight[i];
        at.even = nearest<0>(value);
        at.odd = nearest<1>(value);
        const Floats off_even = value - at.even;
        const Floats off_odd = value - at.odd;
        // Never 0, so that a change of its sign is a change.
        at.more = (off_odd * off_odd - off_even * off_even) * rows.w_[j + i];
        at.more = select(abs(at.more) > 0x1p-120f, at.more, 0x1p-120f);
      }
      const Floats product = sign(weight[0].more) * sign(weight[1].more);
      const Floats parity = product * swap_halves(product);  // negative: odd
      const Floats cost[2] = {abs(weight[0].more), abs(weight[1].more)};
      const Floats cheapest = min(cost[0], cost[1]);
      const Floats beside = swap_halves(cheapest);
      // Of two lanes that have the same, it is the first one's.
      const Floats here =
          select(cheapest < beside, 1, select(cheapest > beside, 0, Floats::load(kFirst)));
      const Floats change = select(parity < 0, here, 0);
      const Floats in_first = select(cost[0] <= cost[1], change, 0);
      weight[0].change(in_first > 0);
      weight[1].change(change > in_first);
    }

    static Floats sign(const Floats& a) noexcept { return select(a < 0, Floats(-1), 1); }
  };

  const Rows& x_;
  const Rows& w_;
};

}  // namespace sluice::inline SLUICE_ISA
