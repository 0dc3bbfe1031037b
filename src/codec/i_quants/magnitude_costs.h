#pragma once

// What each level of a codebook of magnitudes costs at each position of all octets of a super-block,
// at a scale for each octet: w * (scale * level - |x|)^2 in fixed point.
//
// Costs are shares of what the entry's weightiest position can cost. Bytes or 16 bits hold those of
// levels that are in reach of a value; where even the nearest is far, the octet's unit grows.
// Super-blocks where an entry's weights differ by more than these tell apart have costs of 32 bits.

#include <type_traits>

#include "codec/i_quants/magnitudes.h"
#include "simd/unsigned_bytes.h"

namespace sluice::inline SLUICE_ISA::magnitudes {

/// What becomes of octets whose number of minus signs is odd and must be even.
enum class WrongSign {
  searched,  ///< each sign is tried with each entry
  chosen,    ///< one is made wrong before the search
};

template <typename Type, WrongSign kWrongSign>
class LevelCosts : public Measure<Type> {
 public:
  /// \param likely  about the scale of each octet, by which wrong signs are chosen
  explicit LevelCosts(const Octets& octets, const Floats& likely = 0) noexcept;

 protected:
  using Magnitudes = Format<Type>;
  static constexpr std::size_t kLevels = Magnitudes::kLevels;
  static constexpr std::size_t kEntries = Magnitudes::kEntries;
  /// Costs with a wrong sign are found beside those with right ones.
  static constexpr bool kBoth = Type::kEvenSigns && kWrongSign == WrongSign::searched;
  /// What costs are wherever weights do not differ too much: bytes, those of both entries of an octet
  /// side by side, so that twice as many fill a register, or 16 bits.
  static constexpr bool kInBytes = kEntries == 2 && !kBoth;

  /// Octets that are looked at together, with costs of 8, 16 or 32 bits.
  template <typename T>
  using Part =
      std::conditional_t<std::is_same_v<T, std::uint8_t>, simd::UnsignedBytes, simd::Part<T>>;
  using Positions = std::array<simd::Shorts, kOctet>;
  using Byte = std::uint8_t;
  using Short = std::int16_t;
  using Int = std::int32_t;

  /// What each of some parts of an entry costs with right signs, and with one wrong sign if the
  /// octet needs one.
  template <typename T, std::size_t kCount>
  struct Costs {
    std::array<Part<T>, kCount> right;
    std::array<Part<T>, kBoth ? kCount : 0> wrong;
  };
  /// Octets at a scale, each entry in its unit.
  struct Scaled {
    OctetFloats inverse;                       ///< of the scale times the largest magnitude
    std::array<OctetFloats, kEntries> factor;  ///< what distances are multiplied by, at most 1
    std::array<OctetFloats, kEntries> unit;    ///< of cost, as a share of the octet's largest
    Positions short_place;                     ///< kOne * place of the value
    std::array<simd::Shorts, kEntries> short_factor;  ///< 2^15 * factor
    std::array<simd::Shorts, kEntries> short_unit;    ///< 2^15 * unit
  };
  void scale_octets(const OctetFloats& scale, Scaled& out) const noexcept;

  /// Of position j of part r; of bytes, of that of both entries, as UnsignedBytes packs them. Of 16
  /// bits, those of a quarter of an entry sum up to 32767.
  template <typename T>
  Costs<T, kLevels> level_costs(std::size_t r, std::size_t j, const Scaled& scaled) const noexcept;

  bool spread_;  ///< weights differ too much for 16 bits, or bytes

 private:
  static constexpr bool kChosen = Type::kEvenSigns && kWrongSign == WrongSign::chosen;
  static constexpr float share(std::size_t level) noexcept {
    return Type::kMagnitudes[level] / Magnitudes::kLargest;
  }
  /// How far apart a value and a level may be, in multiples of the largest magnitude, for their cost
  /// to be told from more, at the entry's weightiest position.
  static constexpr float kReach = (kLevels == 3 ? 0.45f : 0.25f) * (Type::kEvenSigns ? 1.4f : 1);
  /// The largest magnitude. For bytes, the square of kReach is 255 times 2^15.
  static constexpr float kOne = (kInBytes ? 2890 : 8191.75f) / kReach;
  /// An entry's unit grows until of its farthest values this level is within reach (of eight levels
  /// what it costs at all of them, since two such values are half of an entry), and of one
  /// wrong sign this one.
  static constexpr float kFarLevel = share(kLevels == 3 ? 1 : 5);
  static constexpr float kWrongLevel = 2 * share(0);
  /// Of four large values no entry is near: then the unit grows with their sum.
  static constexpr float kAll = 0.4f;
  static constexpr float kAllLess = 0.5f;
  /// Weights of an entry that differ by more are not told apart well enough in 16 bits.
  static constexpr float kMostRatio = 256;
  /// A unit of cost in 32 bits.
  static constexpr float kFineOne = 0x1p12f;

  /// The smallest magnitude as it is best for choosing wrong signs.
  static constexpr float kSmallest = 1.2f * Type::kMagnitudes[0];

  /// Makes the values whose signs are to be wrong negative.
  void choose_signs(const Floats& likely) noexcept;

  /// Levels are evenly spaced, but for the last one of some types.
  struct Levels {
    Positions first;
    Positions step;
    Positions last;
  };
  static constexpr bool kEven =
      Type::kMagnitudes[kLevels - 1] - Type::kMagnitudes[0] ==
      static_cast<int>(kLevels - 1) * (Type::kMagnitudes[1] - Type::kMagnitudes[0]);

  OctetRows root_;                             // square root of w's share of the entry's largest
  OctetRows value_;                            // root * |x|, negative where the sign is to be wrong
  std::array<OctetFloats, kEntries> largest_;  // w of each entry
  Levels level_;                               // of each position in fixed point
  Levels wrong_level_;                         // the same with the wrong sign, if there is one
};

template <typename Type, WrongSign kWrongSign>
LevelCosts<Type, kWrongSign>::LevelCosts(const Octets& octets, const Floats& likely) noexcept
    : Measure<Type>(octets) {
  Floats spread = 0;
  for (std::size_t n = 0; n < kEntries; ++n) {
    const std::size_t first = n * Type::kWidth;
    for (std::size_t h = 0; h < kHalves; ++h) {
      Floats most = 0x1p-100f;
      Floats least = 0x1p100f;
      for (std::size_t j = first; j < first + Type::kWidth; ++j) {
        most = max(most, octets.w[2 * j + h]);
        least = min(least, octets.w[2 * j + h]);
      }
      spread = max(spread, most - least * kMostRatio);
      largest_[n][h] = most;
      const Floats inverse = Floats(1) / most;
      for (std::size_t j = first; j < first + Type::kWidth; ++j) {
        root_[2 * j + h] = sqrt(octets.w[2 * j + h] * inverse);
        value_[2 * j + h] = root_[2 * j + h] * abs(octets.x[2 * j + h]);
      }
    }
  }
  spread_ = reduce_max(spread) > 0;
  if constexpr (kChosen) choose_signs(likely);
  for (std::size_t j = 0; j < kOctet; ++j) {
    const auto set = [&](float of_levels, Positions& right, Positions& wrong) noexcept {
      OctetFloats place;
      for (std::size_t h = 0; h < kHalves; ++h) {
        place[h] = root_[2 * j + h] * (kOne * of_levels) + 0.5f;
      }
      right[j] = narrow(to_ints(place[0]), to_ints(place[1]));
      if constexpr (kBoth) {
        for (std::size_t h = 0; h < kHalves; ++h) {
          place[h] = select(this->odd_[h] > 0, -place[h], place[h]);
        }
        wrong[j] = -narrow(to_ints(place[0]), to_ints(place[1]));
      }
    };
    set(share(0), level_.first, wrong_level_.first);
    set(share(1) - share(0), level_.step, wrong_level_.step);
    set(share(kLevels - 1), level_.last, wrong_level_.last);
  }
}

template <typename Type, WrongSign kWrongSign>
void LevelCosts<Type, kWrongSign>::choose_signs(const Floats& likely) noexcept {
  const Floats smallest = likely * kSmallest;
  for (std::size_t h = 0; h < kHalves; ++h) {
    // What a wrong sign costs more than the right one, whose level is the smallest or as near.
    std::array<Floats, kOctet> more;
    Floats least = 0x1p120f;
    for (std::size_t j = 0; j < kOctet; ++j) {
      const Floats size = abs(this->octets_.x[2 * j + h]);
      const Floats wrong = size + smallest;
      const Floats right = min(abs(size - smallest), smallest);
      more[j] = this->octets_.w[2 * j + h] * (wrong * wrong - right * right);
      least = min(least, more[j]);
    }
    Floats wanted = this->odd_[h];
    for (std::size_t j = 0; j < kOctet; ++j) {
      const Floats wrong = select(more[j] > least, 0, wanted);  // the first of equals
      wanted -= wrong;
      value_[2 * j + h] = select(wrong > 0, -value_[2 * j + h], value_[2 * j + h]);
    }
  }
}

template <typename Type, WrongSign kWrongSign>
void LevelCosts<Type, kWrongSign>::scale_octets(const OctetFloats& scale,
                                                Scaled& out) const noexcept {
  for (std::size_t h = 0; h < kHalves; ++h) {
    out.inverse[h] = select(scale[h] > 0x1p-60f, Floats(1 / Magnitudes::kLargest) / scale[h], 0);
  }
  for (std::size_t n = 0; n < kEntries; ++n) {
    const std::size_t first = n * Type::kWidth;
    OctetFloats to_short;
    for (std::size_t h = 0; h < kHalves; ++h) {
      Floats far = kReach;
      Floats sum = 0;
      Floats wrong = 0x1p100f;
      Floats all = 0;
      for (std::size_t row = 2 * first + h; row < 2 * (first + Type::kWidth); row += 2) {
        const Floats place = value_[row] * out.inverse[h];
        const Floats beyond = place - root_[row] * kFarLevel;
        if constexpr (kLevels > 3) {
          sum += max(beyond, 0);
          all += place;
        } else {
          far = max(far, beyond);
        }
        if constexpr (kBoth) wrong = min(wrong, place + root_[row] * kWrongLevel);
        if constexpr (kChosen) far = max(far, root_[row] * kWrongLevel - place);
      }
      if constexpr (kLevels > 3) far = max(max(far, sum), all * kAll - kAllLess);
      if constexpr (kBoth) far = max(far, wrong * this->odd_[h]);
      const Floats factor = Floats(kReach) / far;
      out.factor[n][h] = factor;
      to_short[h] = factor * 32767.0f;
      if constexpr (kBoth && kEntries == 2) {
        out.unit[n][h] = largest_[n][h] / (factor * factor);
      }
    }
    out.short_factor[n] = narrow(to_ints(to_short[0]), to_ints(to_short[1]));
    for (std::size_t h = 0; h < kHalves; ++h) {
      to_short[h] = out.factor[n][h] * out.inverse[h] * kOne;
    }
    for (std::size_t j = first; j < first + Type::kWidth; ++j) {
      const auto place = [&](std::size_t h) noexcept {
        return to_ints(value_[2 * j + h] * to_short[h] + 0.5f);
      };
      out.short_place[j] = narrow(place(0), place(1));
    }
  }
  if constexpr (kBoth && kEntries == 2) {
    for (std::size_t h = 0; h < kHalves; ++h) {
      const Floats to_share = Floats(1) / max(out.unit[0][h], out.unit[1][h]);
      for (std::size_t n = 0; n < kEntries; ++n) out.unit[n][h] *= to_share;
    }
    for (std::size_t n = 0; n < kEntries; ++n) {
      out.short_unit[n] =
          narrow(to_ints(out.unit[n][0] * 32767.0f), to_ints(out.unit[n][1] * 32767.0f));
    }
  }
}

template <typename Type, WrongSign kWrongSign>
template <typename T>
SLUICE_INLINE auto LevelCosts<Type, kWrongSign>::level_costs(std::size_t r, std::size_t j,
                                                             const Scaled& scaled) const noexcept
    -> Costs<T, kLevels> {
  Costs<T, kLevels> costs;
  if constexpr (std::is_same_v<T, Byte>) {
    const Costs<Short, kLevels> of_first = level_costs<Short>(r, j, scaled);
    const Costs<Short, kLevels> of_second = level_costs<Short>(r, j + Type::kWidth, scaled);
    for (std::size_t level = 0; level < kLevels; ++level) {
      costs.right[level] = Part<Byte>::pack(of_first.right[level], of_second.right[level]);
    }
  } else if constexpr (std::is_same_v<T, Short>) {
    // Levels are told apart by four times the distance, drawn in for levels that are far from it. A
    // quarter of either kind costs up to 32767. What becomes bytes is drawn in when it does.
    const auto square = [](const Part<Short>& distance) noexcept {
      if constexpr (kInBytes) return multiply_fractions(distance, distance);
      const Part<Short> twice = add_saturated(distance, distance);
      const Part<Short> d = add_saturated(twice, twice);
      const Part<Short> cost = multiply_high(d, d);
      return Magnitudes::kHalfWidth == 2 ? add_saturated(cost, cost) : cost;
    };
    const Part<Short> p = simd::part_of(scaled.short_place[j], r);
    const Part<Short> factor = simd::part_of(scaled.short_factor[j / Type::kWidth], r);
    const auto costs_of = [&](const Levels& levels, const auto& less, auto& out) noexcept {
      const auto of_octet = [&](const Positions& positions) noexcept {
        return multiply_fractions(simd::part_of(positions[j], r), factor);
      };
      const Part<Short> step = of_octet(levels.step);
      Part<Short> distance = less(p, of_octet(levels.first));
      for (std::size_t level = 0; level < kLevels - 1; ++level) {
        out[level] = square(distance);
        distance = less(distance, step);
      }
      out[kLevels - 1] = square(kEven ? distance : less(p, of_octet(levels.last)));
    };
    costs_of(
        level_, [](const Part<Short>& a, const Part<Short>& b) noexcept { return a - b; },
        costs.right);
    if constexpr (kBoth) {
      costs_of(
          wrong_level_,
          [](const Part<Short>& a, const Part<Short>& b) noexcept { return add_saturated(a, b); },
          costs.wrong);
    }
  } else {
    const std::size_t h = r / Floats::kParts;
    const std::size_t i = r % Floats::kParts;
    const auto cost = [](const Part<float>& distance) noexcept {
      return to_ints(distance * distance);
    };
    const Part<float> factor = simd::part_of(scaled.factor[j / Type::kWidth][h], i) * kFineOne;
    const Part<float> p =
        simd::part_of(value_[2 * j + h], i) * (simd::part_of(scaled.inverse[h], i) * factor);
    const Part<float> one = simd::part_of(root_[2 * j + h], i) * factor;
    for (std::size_t level = 0; level < kLevels; ++level) {
      const Part<float> place = one * share(level);
      costs.right[level] = cost(p - place);
      if constexpr (kBoth) {
        const auto odd = simd::part_of(this->odd_[h], i) > 0;
        costs.wrong[level] = cost(select(odd, p + place, p - place));
      }
    }
  }
  return costs;
}

}  // namespace sluice::inline SLUICE_ISA::magnitudes
