#pragma once

// The nearest entries of a codebook of magnitudes for all octets of a super-block, at a scale for
// each sub-block: every entry is tried. IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S.
//
// At a given scale the cost of each level at each position is known, w * (scale * level - |x|)^2.
// They are summed by quarters of an entry, 9 or 8 each, then by the sets of first halves that the
// codebook is made of (magnitude_sets.h): what is the least of a set's second quarters is one
// minimum for whole lists of entries, in 32 octets. This is done in 16-bit fixed point, in shares
// of what the entry's weightiest position can cost; what is found is then measured in floats.
//
// The low bits of a first half's cost say which one it is, so that a minimum of costs also is one of
// first halves. Second halves add nothing to them.
//
// Where an odd number of minus signs must be made even, each part is summed a second time with its
// cheapest wrong sign: it is the one part's or the other's.

#include <utility>

#include "codec/i_quants/magnitude_sets.h"
#include "simd/tables.h"

namespace sluice::inline SLUICE_ISA::magnitudes {

template <typename Type>
class MagnitudeSearch : public Measure<Type> {
 public:
  explicit MagnitudeSearch(const Octets& octets) noexcept;

  /// The best entries at each octet's scale.
  void nearest(const OctetFloats& scale, OctetCodes<Type>& codes) const noexcept;
  /// The same where `scale` has each sub-block's in all of its lanes.
  void nearest(const Floats& scale, OctetCodes<Type>& codes) const noexcept {
    nearest(OctetFloats{scale, scale}, codes);
  }

 private:
  using Magnitudes = Format<Type>;
  using Codebook = Sets<Type>;
  static constexpr std::size_t kLevels = Magnitudes::kLevels;
  static constexpr std::size_t kEntries = Magnitudes::kEntries;
  static constexpr std::size_t kQuarters = Codebook::kQuarters;
  static constexpr std::size_t kHalfCount = Codebook::kHalfCount;
  static_assert(kQuarters == 9 || kQuarters == 8);

  /// In multiples of the largest magnitude: values are drawn in to kFarthest, since the nearest level
  /// of farther ones is the largest anyway, and costs to those of a distance of kRange / 4. Wrong
  /// signs cost more.
  static constexpr float kFarthest = kQuarters == 9 ? 1.5f : 1.2f;
  static constexpr float kRange = (kQuarters == 9 ? 2.1f : 1.2f) * (Type::kEvenSigns ? 1.4f : 1);
  static_assert(kFarthest - 1 < kRange / 4, "some level must be within reach of each value");
  static constexpr float kOne = 32767 / (kRange * Magnitudes::kLargest);
  /// The bits of a cost that are a first half's code.
  static constexpr auto kCode = static_cast<std::int16_t>(Codebook::kCodes - 1);

  using Part = simd::Part<std::int16_t>;  ///< the octets that are searched together
  using Positions = std::array<simd::Shorts, kOctet>;

  /// What each of some parts of an entry costs with right signs, and with one wrong sign if the
  /// octet needs one.
  template <std::size_t kCount>
  struct Costs {
    std::array<Part, kCount> right;
    std::array<Part, Type::kEvenSigns ? kCount : 0> wrong;
  };
  using QuarterCosts = Costs<kQuarters>;
  struct EntryCosts {
    Costs<Codebook::kCount> first;  ///< of sets of first halves, less 32768
    Costs<kHalfCount> second;
  };
  using CostsOfEntries = std::array<EntryCosts, kEntries>;

  /// The best second half of each octet, as kCodes times its place; the cost has the first half.
  struct Best {
    Part cost = 32767;
    Part place = 0;

    SLUICE_INLINE void add(const Part& other_cost, const Part& other_place) noexcept {
      place = select(other_cost < cost, other_place, place);
      cost = min(cost, other_cost);
    }
  };
  struct BestOfBoth {
    Best right;
    Best wrong;
  };

  /// All pairs of parts, those of `b` following each other.
  template <std::size_t kA, std::size_t kB>
  static SLUICE_INLINE void join(const Costs<kA>& a, const Costs<kB>& b,
                                 Costs<kA * kB>& out) noexcept {
    for (std::size_t i = 0; i < kA; ++i) {
      for (std::size_t k = 0; k < kB; ++k) {
        out.right[kB * i + k] = add_saturated(a.right[i], b.right[k]);
        if constexpr (Type::kEvenSigns) {
          out.wrong[kB * i + k] =
              min(add_saturated(a.wrong[i], b.right[k]), add_saturated(a.right[i], b.wrong[k]));
        }
      }
    }
  }

  /// The least of the parts whose bits a mask has.
  template <std::uint16_t kMask, typename Parts>
  static SLUICE_INLINE Part least_of(const Parts& parts) noexcept {
    const Part& part = parts[static_cast<std::size_t>(__builtin_ctz(kMask))];
    constexpr auto kOthers = static_cast<std::uint16_t>(kMask & (kMask - 1));
    if constexpr (kOthers == 0) {
      return part;
    } else {
      return min(part, least_of<kOthers>(parts));
    }
  }
  using LeastCosts = Costs<Codebook::kMasks>;
  template <std::size_t... I>
  static SLUICE_INLINE void find_least(const QuarterCosts& second, LeastCosts& least,
                                       std::index_sequence<I...> /*masks*/) noexcept {
    ((least.right[I] = least_of<Codebook::kAll.mask[I]>(second.right)), ...);
    if constexpr (Type::kEvenSigns) {
      ((least.wrong[I] = least_of<Codebook::kAll.mask[I]>(second.wrong)), ...);
    }
  }
  /// Written out, since where each summand is differs, and there are few.
  template <std::size_t... I>
  static SLUICE_INLINE void sum_sets(const QuarterCosts& first, const LeastCosts& least,
                                     Costs<Codebook::kCount>& out,
                                     std::index_sequence<I...> /*sets*/) noexcept {
    constexpr const auto& kSet = Codebook::kAll.set;
    ((out.right[I] = first.right[kSet[I].quarter] + least.right[kSet[I].mask]), ...);
    if constexpr (Type::kEvenSigns) {
      ((out.wrong[I] = min(first.wrong[kSet[I].quarter] + least.right[kSet[I].mask],
                           first.right[kSet[I].quarter] + least.wrong[kSet[I].mask])),
       ...);
    }
  }

  Costs<kLevels> level_costs(std::size_t r, std::size_t j, const Positions& place) const noexcept;
  QuarterCosts quarter_costs(std::size_t r, std::size_t first,
                             const Positions& place) const noexcept;
  void sum_entry(std::size_t r, std::size_t first, const Positions& place,
                 EntryCosts& costs) const noexcept;
  static std::array<BestOfBoth, kEntries> walk(const CostsOfEntries& costs) noexcept;
  void search(std::size_t r, const Positions& place,
              std::array<simd::Shorts, kEntries>& found) const noexcept;

  OctetRows root_;  // kOne * square root of w's share of the entry's largest
  std::array<simd::Shorts, kEntries> share_;    // an entry's largest w of the octet's, times 2^15
  std::array<Positions, kLevels> level_;        // [level][position] in fixed point
  std::array<Positions, kLevels> wrong_level_;  // the same with the wrong sign, if there is one
};

template <typename Type>
MagnitudeSearch<Type>::MagnitudeSearch(const Octets& octets) noexcept : Measure<Type>(octets) {
  std::array<OctetFloats, kEntries> largest;
  for (std::size_t n = 0; n < kEntries; ++n) {
    const std::size_t first = n * Type::kWidth;
    for (std::size_t h = 0; h < kHalves; ++h) {
      Floats& most = largest[n][h] = 0x1p-100f;
      for (std::size_t j = first; j < first + Type::kWidth; ++j) {
        most = max(most, octets.w[2 * j + h]);
      }
      const Floats inverse = Floats(1) / most;
      for (std::size_t j = first; j < first + Type::kWidth; ++j) {
        root_[2 * j + h] = sqrt(octets.w[2 * j + h] * inverse) * kOne;
      }
    }
  }
  if constexpr (Type::kEvenSigns && kEntries == 2) {
    for (std::size_t n = 0; n < kEntries; ++n) {
      OctetFloats share;
      for (std::size_t h = 0; h < kHalves; ++h) {
        share[h] = largest[n][h] / max(largest[0][h], largest[1][h]) * 32767.0f;
      }
      share_[n] = narrow(to_ints(share[0]), to_ints(share[1]));
    }
  }
  for (std::size_t j = 0; j < kOctet; ++j) {
    for (std::size_t level = 0; level < kLevels; ++level) {
      OctetFloats place;
      for (std::size_t h = 0; h < kHalves; ++h) {
        place[h] = root_[2 * j + h] * static_cast<float>(Type::kMagnitudes[level]) + 0.5f;
      }
      level_[level][j] = narrow(to_ints(place[0]), to_ints(place[1]));
      if constexpr (Type::kEvenSigns) {
        for (std::size_t h = 0; h < kHalves; ++h) {
          place[h] = select(this->odd_[h] > 0, -place[h], place[h]);
        }
        wrong_level_[level][j] = -narrow(to_ints(place[0]), to_ints(place[1]));
      }
    }
  }
}

template <typename Type>
SLUICE_INLINE auto MagnitudeSearch<Type>::level_costs(std::size_t r, std::size_t j,
                                                      const Positions& place) const noexcept
    -> Costs<kLevels> {
  // Levels are told apart by four times the distance, drawn in for levels that are far from it. A
  // quarter of either kind costs up to 32767.
  const auto square = [](const Part& distance) noexcept {
    const Part twice = add_saturated(distance, distance);
    const Part d = add_saturated(twice, twice);
    const Part cost = multiply_high(d, d);
    return kQuarters == kLevels ? add_saturated(cost, cost) : cost;
  };
  const Part p = simd::part_of(place[j], r);
  Costs<kLevels> costs;
  for (std::size_t level = 0; level < kLevels; ++level) {
    costs.right[level] = square(p - simd::part_of(level_[level][j], r));
    if constexpr (Type::kEvenSigns) {
      costs.wrong[level] = square(add_saturated(p, simd::part_of(wrong_level_[level][j], r)));
    }
  }
  return costs;
}

template <typename Type>
SLUICE_INLINE auto MagnitudeSearch<Type>::quarter_costs(std::size_t r, std::size_t first,
                                                        const Positions& place) const noexcept
    -> QuarterCosts {
  QuarterCosts costs;
  if constexpr (kQuarters == kLevels) {
    costs = level_costs(r, first, place);
  } else {
    const Costs<kLevels> a = level_costs(r, first, place);
    const Costs<kLevels> b = level_costs(r, first + 1, place);
    for (std::size_t i = 0; i < kQuarters; ++i) {
      const std::size_t m = i / kLevels;
      const std::size_t n = i % kLevels;
      costs.right[i] = add_saturated(a.right[m], b.right[n]);
      if constexpr (Type::kEvenSigns) {
        costs.wrong[i] =
            min(add_saturated(a.wrong[m], b.right[n]), add_saturated(a.right[m], b.wrong[n]));
      }
    }
  }
  for (Part& cost : costs.right) cost &= static_cast<std::int16_t>(~kCode);
  for (Part& cost : costs.wrong) cost &= static_cast<std::int16_t>(~kCode);
  return costs;
}

template <typename Type>
void MagnitudeSearch<Type>::sum_entry(std::size_t r, std::size_t first, const Positions& place,
                                      EntryCosts& costs) const noexcept {
  constexpr std::size_t kWidth = Codebook::kQuarterWidth;
  std::array<QuarterCosts, 4> quarter;
  for (std::size_t i = 0; i < 4; ++i) quarter[i] = quarter_costs(r, first + i * kWidth, place);
  // A code is one too large, and comes right by the low bits of all second halves, which also those
  // have that are drawn in.
  const auto mark = [](auto& parts, int start, int step) noexcept {
    for (Part& part : parts) {
      part = part + static_cast<std::int16_t>(start);
      start += step;
    }
  };
  constexpr auto kStep = static_cast<int>(Codebook::kStep);
  mark(quarter[0].right, 1 - 32768, kStep);
  mark(quarter[0].wrong, 1 - 32768, kStep);
  mark(quarter[1].right, 0, 1);
  mark(quarter[1].wrong, 0, 1);
  mark(quarter[2].right, kCode, 0);
  mark(quarter[2].wrong, kCode, 0);
  LeastCosts least;
  find_least(quarter[1], least, std::make_index_sequence<Codebook::kMasks>());
  sum_sets(quarter[0], least, costs.first, std::make_index_sequence<Codebook::kCount>());
  join(quarter[2], quarter[3], costs.second);
}

/// The best second half for each entry: with right signs, with one wrong sign where needed.
template <typename Type>
auto MagnitudeSearch<Type>::walk(const CostsOfEntries& costs) noexcept
    -> std::array<BestOfBoth, kEntries> {
  std::array<BestOfBoth, kEntries> best;
  Part place = 0;
  const std::uint16_t* at = Codebook::kWalk.data();
  const auto of_size = [&]<std::size_t kSize>(std::integral_constant<std::size_t, kSize> /*sets*/) {
    const auto least_of_sets = [&](const auto& sets) noexcept {
      Part least = sets[at[0]];
      for (std::size_t i = 1; i < kSize; ++i) least = min(least, sets[at[i]]);
      return least;
    };
    for (std::size_t i = 0; i < Codebook::kOrder.with[kSize]; ++i, at += kSize + 1) {
      for (std::size_t n = 0; n < kEntries; ++n) {
        const auto& [first, second] = costs[n];
        const Part right_first = least_of_sets(first.right);
        const Part& right_second = second.right[at[kSize]];
        if constexpr (!Type::kEvenSigns || kEntries == 2) {
          best[n].right.add(add_saturated(right_first, right_second), place);
        }
        if constexpr (Type::kEvenSigns) {
          const Part in_first = add_saturated(least_of_sets(first.wrong), right_second);
          const Part in_second = add_saturated(right_first, second.wrong[at[kSize]]);
          best[n].wrong.add(min(in_first, in_second), place);
        }
      }
      place += static_cast<std::int16_t>(Codebook::kCodes);
    }
  };
  [&]<std::size_t... I>(std::index_sequence<I...> /*sizes*/) {
    (of_size(std::integral_constant<std::size_t, I + 1>()), ...);
  }
  (std::make_index_sequence<kQuarters>());
  return best;
}

template <typename Type>
void MagnitudeSearch<Type>::search(std::size_t r, const Positions& place,
                                   std::array<simd::Shorts, kEntries>& found) const noexcept {
  CostsOfEntries costs;
  for (std::size_t n = 0; n < kEntries; ++n) sum_entry(r, n * Type::kWidth, place, costs[n]);
  const std::array<BestOfBoth, kEntries> of_entry = walk(costs);
  const auto code = [](const Best& best) noexcept { return best.place | (best.cost & kCode); };
  std::array<Part, kEntries> code_of;
  for (std::size_t n = 0; n < kEntries; ++n) {
    code_of[n] = code(Type::kEvenSigns ? of_entry[n].wrong : of_entry[n].right);
  }
  if constexpr (Type::kEvenSigns && kEntries == 2) {
    // The wrong sign is in one of the two entries: where it costs less.
    const auto& [first, second] = of_entry;
    const auto more = [&](std::size_t n) noexcept {
      const auto half = [](const Part& cost) noexcept { return simd::shift_right<1>(cost); };
      return multiply_fractions(half(of_entry[n].wrong.cost) - half(of_entry[n].right.cost),
                                simd::part_of(share_[n], r));
    };
    const auto in_second = more(1) < more(0);
    code_of[0] = select(in_second, code(first.right), code_of[0]);
    code_of[1] = select(in_second, code_of[1], code(second.right));
  }
  for (std::size_t n = 0; n < kEntries; ++n) {
    simd::set_part(found[n], r, simd::gather(Codebook::kEntryAt, code_of[n]));
  }
}

template <typename Type>
void MagnitudeSearch<Type>::nearest(const OctetFloats& scale,
                                    OctetCodes<Type>& codes) const noexcept {
  OctetFloats inverse;
  for (std::size_t h = 0; h < kHalves; ++h) {
    inverse[h] = select(scale[h] > 0x1p-60f, Floats(1) / scale[h], 0);
  }
  Positions place;
  for (std::size_t j = 0; j < kOctet; ++j) {
    OctetFloats of_half;
    for (std::size_t h = 0; h < kHalves; ++h) {
      const std::size_t row = 2 * j + h;
      const Floats near =
          min(abs(this->octets_.x[row]) * inverse[h], kFarthest * Magnitudes::kLargest);
      of_half[h] = near * root_[row] + 0.5f;
    }
    place[j] = narrow(to_ints(of_half[0]), to_ints(of_half[1]));
  }
  std::array<simd::Shorts, kEntries> found;
  for (std::size_t r = 0; r < simd::Shorts::kParts; ++r) search(r, place, found);
  for (std::size_t n = 0; n < kEntries; ++n) {
    for (std::size_t h = 0; h < kHalves; ++h) codes.entry[n][h] = widen(found[n], h);
  }
  this->measure(codes);
}

}  // namespace sluice::inline SLUICE_ISA::magnitudes
