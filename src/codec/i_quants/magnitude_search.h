#pragma once

// The nearest entries of a codebook of magnitudes for all octets of a super-block, at a scale for
// each sub-block: every entry is tried. IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S.
//
// At a given scale the cost of each level at each position is known (magnitude_costs.h).
// They are summed by quarters of an entry, 9 or 8 each, then by the sets of first halves that the
// codebook is made of (magnitude_sets.h): what is the least of a set's second quarters is one
// minimum for whole lists of entries, in 32 octets. What is found is then measured in floats.
//
// The low bits of a first half's cost say which one it is, so that a minimum of costs also is one of
// first halves. Second halves add nothing to them.
//
// Where an odd number of minus signs must be made even, each part is summed a second time with its
// cheapest wrong sign: it is the one part's or the other's. Or the wrong sign is chosen beforehand,
// and entries are searched for what the values then are, at half of the cost.

#include <limits>
#include <type_traits>
#include <utility>

#include "codec/i_quants/magnitude_costs.h"
#include "codec/i_quants/magnitude_sets.h"

namespace sluice::inline SLUICE_ISA::magnitudes {

template <typename Type, WrongSign kWrongSign = WrongSign::searched>
class MagnitudeSearch : public LevelCosts<Type, kWrongSign> {
 public:
  using LevelCosts<Type, kWrongSign>::LevelCosts;

  /// The best entries at each octet's scale.
  void nearest(const OctetFloats& scale, OctetCodes<Type>& codes) const noexcept;
  /// The same where `scale` has each sub-block's in all of its lanes.
  void nearest(const Floats& scale, OctetCodes<Type>& codes) const noexcept {
    nearest(OctetFloats{scale, scale}, codes);
  }

 private:
  using Base = LevelCosts<Type, kWrongSign>;
  using typename Base::Int;
  using typename Base::Scaled;
  using typename Base::Short;
  template <typename T>
  using Part = typename Base::template Part<T>;
  template <typename T, std::size_t kCount>
  using Costs = typename Base::template Costs<T, kCount>;
  using Base::kBoth;
  using Base::kEntries;
  using Base::kLevels;
  using Codebook = Sets<Type>;
  static constexpr std::size_t kQuarters = Codebook::kQuarters;
  static constexpr std::size_t kHalfCount = Codebook::kHalfCount;
  static_assert(kQuarters == 9 || kQuarters == 8);

  /// The bits of a cost that are a first half's code.
  static constexpr auto kCode = static_cast<Short>(Codebook::kCodes - 1);

  template <typename T>
  static constexpr T kMost = std::numeric_limits<T>::max();
  /// What costs of sets are less by, so that all bits count.
  template <typename T>
  static constexpr int kLess = std::is_same_v<T, Short> ? 32768 : 0;

  template <typename T>
  using QuarterCosts = Costs<T, kQuarters>;
  template <typename T>
  struct EntryCosts {
    Costs<T, Codebook::kCount> first;  ///< of sets of first halves, less kLess
    Costs<T, kHalfCount> second;
  };
  template <typename T>
  using CostsOfEntries = std::array<EntryCosts<T>, kEntries>;

  /// The best second half of each octet, as kCodes times its place; the cost has the first half.
  template <typename T>
  struct Best {
    Part<T> cost = kMost<T>;
    Part<T> place = 0;

    SLUICE_INLINE void add(const Part<T>& other_cost, const Part<T>& other_place) noexcept {
      place = select(other_cost < cost, other_place, place);
      cost = min(cost, other_cost);
    }
    SLUICE_INLINE Part<T> code() const noexcept { return place | (cost & T{kCode}); }
  };
  template <typename T>
  struct BestOfBoth {
    Best<T> right;
    Best<T> wrong;
  };
  template <typename T>
  using BestOfEntries = std::array<BestOfBoth<T>, kEntries>;
  template <typename T>
  using CodesOfEntries = std::array<Part<T>, kEntries>;

  static SLUICE_INLINE Part<Short> sum(const Part<Short>& a, const Part<Short>& b) noexcept {
    return add_saturated(a, b);
  }
  static SLUICE_INLINE Part<Int> sum(const Part<Int>& a, const Part<Int>& b) noexcept {
    return a + b;
  }

  /// All pairs of parts, those of `b` following each other.
  template <typename T, std::size_t kA, std::size_t kB>
  static SLUICE_INLINE void join(const Costs<T, kA>& a, const Costs<T, kB>& b,
                                 Costs<T, kA * kB>& out) noexcept {
    for (std::size_t i = 0; i < kA; ++i) {
      for (std::size_t k = 0; k < kB; ++k) {
        out.right[kB * i + k] = sum(a.right[i], b.right[k]);
        if constexpr (kBoth) {
          out.wrong[kB * i + k] = min(sum(a.wrong[i], b.right[k]), sum(a.right[i], b.wrong[k]));
        }
      }
    }
  }

  /// The least of the parts whose bits a mask has.
  template <std::uint16_t kMask, typename Parts>
  static SLUICE_INLINE auto least_of(const Parts& parts) noexcept {
    const auto& part = parts[static_cast<std::size_t>(__builtin_ctz(kMask))];
    constexpr auto kOthers = static_cast<std::uint16_t>(kMask & (kMask - 1));
    if constexpr (kOthers == 0) {
      return part;
    } else {
      return min(part, least_of<kOthers>(parts));
    }
  }
  template <typename T>
  using LeastCosts = Costs<T, Codebook::kMasks>;
  template <typename T, std::size_t... I>
  static SLUICE_INLINE void find_least(const QuarterCosts<T>& second, LeastCosts<T>& least,
                                       std::index_sequence<I...> /*masks*/) noexcept {
    ((least.right[I] = least_of<Codebook::kAll.mask[I]>(second.right)), ...);
    if constexpr (kBoth) {
      ((least.wrong[I] = least_of<Codebook::kAll.mask[I]>(second.wrong)), ...);
    }
  }
  /// Written out, since where each summand is differs, and there are few.
  template <typename T, std::size_t... I>
  static SLUICE_INLINE void sum_sets(const QuarterCosts<T>& first, const LeastCosts<T>& least,
                                     Costs<T, Codebook::kCount>& out,
                                     std::index_sequence<I...> /*sets*/) noexcept {
    constexpr const auto& kSet = Codebook::kAll.set;
    ((out.right[I] = first.right[kSet[I].quarter] + least.right[kSet[I].mask]), ...);
    if constexpr (kBoth) {
      ((out.wrong[I] = min(first.wrong[kSet[I].quarter] + least.right[kSet[I].mask],
                           first.right[kSet[I].quarter] + least.wrong[kSet[I].mask])),
       ...);
    }
  }

  template <typename T>
  QuarterCosts<T> quarter_costs(std::size_t r, std::size_t first,
                                const Scaled& scaled) const noexcept;
  template <typename T>
  void sum_entry(std::size_t r, std::size_t first, const Scaled& scaled,
                 EntryCosts<T>& costs) const noexcept;
  template <typename T>
  static BestOfEntries<T> walk(const CostsOfEntries<T>& costs) noexcept;
  template <typename T>
  CodesOfEntries<T> search(std::size_t r, const Scaled& scaled) const noexcept;
};

template <typename Type, WrongSign kWrongSign>
template <typename T>
SLUICE_INLINE auto MagnitudeSearch<Type, kWrongSign>::quarter_costs(
    std::size_t r, std::size_t first, const Scaled& scaled) const noexcept -> QuarterCosts<T> {
  QuarterCosts<T> costs;
  if constexpr (kQuarters == kLevels) {
    costs = this->template level_costs<T>(r, first, scaled);
  } else {
    join(this->template level_costs<T>(r, first, scaled),
         this->template level_costs<T>(r, first + 1, scaled), costs);
  }
  for (Part<T>& cost : costs.right) cost &= static_cast<T>(~kCode);
  for (Part<T>& cost : costs.wrong) cost &= static_cast<T>(~kCode);
  return costs;
}

template <typename Type, WrongSign kWrongSign>
template <typename T>
void MagnitudeSearch<Type, kWrongSign>::sum_entry(std::size_t r, std::size_t first,
                                                  const Scaled& scaled,
                                                  EntryCosts<T>& costs) const noexcept {
  constexpr std::size_t kWidth = Codebook::kQuarterWidth;
  std::array<QuarterCosts<T>, 4> quarter;
  for (std::size_t i = 0; i < 4; ++i) quarter[i] = quarter_costs<T>(r, first + i * kWidth, scaled);
  // A code is one too large, and comes right by the low bits of all second halves, which also those
  // have that are drawn in.
  const auto mark = [](auto& parts, int start, int step) noexcept {
    for (Part<T>& part : parts) {
      part = part + static_cast<T>(start);
      start += step;
    }
  };
  constexpr auto kStep = static_cast<int>(Codebook::kStep);
  constexpr int kStart = 1 - kLess<T>;
  mark(quarter[0].right, kStart, kStep);
  mark(quarter[0].wrong, kStart, kStep);
  mark(quarter[1].right, 0, 1);
  mark(quarter[1].wrong, 0, 1);
  mark(quarter[2].right, kCode, 0);
  mark(quarter[2].wrong, kCode, 0);
  LeastCosts<T> least;
  find_least(quarter[1], least, std::make_index_sequence<Codebook::kMasks>());
  sum_sets(quarter[0], least, costs.first, std::make_index_sequence<Codebook::kCount>());
  join(quarter[2], quarter[3], costs.second);
}

/// The best second half for each entry: with right signs, with one wrong sign where needed.
template <typename Type, WrongSign kWrongSign>
template <typename T>
auto MagnitudeSearch<Type, kWrongSign>::walk(const CostsOfEntries<T>& costs) noexcept
    -> BestOfEntries<T> {
  BestOfEntries<T> best;
  Part<T> place = 0;
  const std::uint16_t* at = Codebook::kWalk.data();
  const auto cost_at = [](const auto& parts, std::size_t offset) noexcept -> const Part<T>& {
    return *reinterpret_cast<const Part<T>*>(reinterpret_cast<const std::byte*>(&parts) + offset);
  };
  const auto of_size = [&]<std::size_t kSize>(std::integral_constant<std::size_t, kSize> /*sets*/) {
    const auto least_of_sets = [&](const auto& sets) noexcept {
      Part<T> least = cost_at(sets, at[0]);
      for (std::size_t i = 1; i < kSize; ++i) least = min(least, cost_at(sets, at[i]));
      return least;
    };
    for (std::size_t i = 0; i < Codebook::kOrder.with[kSize]; ++i, at += kSize + 1) {
      for (std::size_t n = 0; n < kEntries; ++n) {
        const auto& [first, second] = costs[n];
        const Part<T> right_first = least_of_sets(first.right);
        const Part<T>& right_second = cost_at(second.right, at[kSize]);
        if constexpr (!kBoth || kEntries == 2) {
          best[n].right.add(sum(right_first, right_second), place);
        }
        if constexpr (kBoth) {
          const Part<T> in_first = sum(least_of_sets(first.wrong), right_second);
          const Part<T> in_second = sum(right_first, cost_at(second.wrong, at[kSize]));
          best[n].wrong.add(min(in_first, in_second), place);
        }
      }
      place += static_cast<T>(Codebook::kCodes);
    }
  };
  [&]<std::size_t... I>(std::index_sequence<I...> /*sizes*/) {
    (of_size(std::integral_constant<std::size_t, I + 1>()), ...);
  }
  (std::make_index_sequence<kQuarters>());
  return best;
}

/// Of each entry the best of each octet, by what Codebook::kEntryAt has them.
template <typename Type, WrongSign kWrongSign>
template <typename T>
auto MagnitudeSearch<Type, kWrongSign>::search(std::size_t r, const Scaled& scaled) const noexcept
    -> CodesOfEntries<T> {
  CostsOfEntries<T> costs;
  for (std::size_t n = 0; n < kEntries; ++n) sum_entry(r, n * Type::kWidth, scaled, costs[n]);
  const BestOfEntries<T> of_entry = walk(costs);
  CodesOfEntries<T> code;
  for (std::size_t n = 0; n < kEntries; ++n) {
    code[n] = (kBoth ? of_entry[n].wrong : of_entry[n].right).code();
  }
  if constexpr (kBoth && kEntries == 2) {
    // The wrong sign is in one of the two entries: where it costs less.
    const auto& [first, second] = of_entry;
    const auto more = [&](std::size_t n) noexcept {
      const auto half = [](const Part<T>& cost) noexcept { return simd::shift_right<1>(cost); };
      const Part<T> of_unit = half(of_entry[n].wrong.cost) - half(of_entry[n].right.cost);
      if constexpr (std::is_same_v<T, Short>) {
        return multiply_fractions(of_unit, simd::part_of(scaled.short_unit[n], r));
      } else {
        return to_floats(of_unit) *
               simd::part_of(scaled.unit[n][r / Floats::kParts], r % Floats::kParts);
      }
    };
    const auto in_second = more(1) < more(0);
    code[0] = select(in_second, first.right.code(), code[0]);
    code[1] = select(in_second, code[1], second.right.code());
  }
  return code;
}

template <typename Type, WrongSign kWrongSign>
void MagnitudeSearch<Type, kWrongSign>::nearest(const OctetFloats& scale,
                                                OctetCodes<Type>& codes) const noexcept {
  Scaled scaled;
  this->scale_octets(scale, scaled);
  std::array<OctetWords, kEntries> words;
  const auto find = [&]<typename T>(T /*cost*/) noexcept {
    for (std::size_t r = 0; r < kOctets / Part<T>::kLanes; ++r) {
      const CodesOfEntries<T> code = search<T>(r, scaled);
      for (std::size_t n = 0; n < kEntries; ++n) {
        look_up_words(Codebook::kEntryAt, code[n], r, words[n]);
      }
    }
  };
  if (this->spread_) {
    find(Int());
  } else {
    find(Short());
  }
  for (std::size_t n = 0; n < kEntries; ++n) codes.entry[n] = load_words(words[n]);
  this->measure(codes);
}

}  // namespace sluice::inline SLUICE_ISA::magnitudes
