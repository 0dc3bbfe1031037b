#pragma once

// The nearest entries of a codebook of magnitudes for all octets of a super-block, at a scale for
// each sub-block: every entry is tried. IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S.
//
// At a given scale the costs of second halves and of sets of first halves are known
// (magnitude_sums.h): what is the least of a set's second quarters is one minimum for whole lists of
// entries, in 32 octets. What is found is then measured in floats.
//
// Costs of 16 and 32 bits say which first half it is. Where costs are bytes, those of both entries of
// an octet are side by side, and the first half that goes with the best second one is found at the
// end (magnitude_first_halves.h).

#include <limits>
#include <type_traits>
#include <utility>

#include "codec/i_quants/magnitude_first_halves.h"
#include "codec/i_quants/magnitude_sums.h"

namespace sluice::inline SLUICE_ISA::magnitudes {

template <typename Type, WrongSign kWrongSign = WrongSign::searched>
class MagnitudeSearch : public PartCosts<Type, kWrongSign> {
 public:
  using PartCosts<Type, kWrongSign>::PartCosts;

  /// The best entries at each octet's scale.
  void nearest(const OctetFloats& scale, OctetCodes<Type>& codes) const noexcept {
    search_all(scale, this->spread_, codes);
  }
  /// The same where `scale` has each sub-block's in all of its lanes.
  void nearest(const Floats& scale, OctetCodes<Type>& codes) const noexcept {
    nearest(OctetFloats{scale, scale}, codes);
  }
  /// The same without more bits where weights differ much: enough for what scales are chosen by.
  void nearly_nearest(const Floats& scale, OctetCodes<Type>& codes) const noexcept {
    search_all(OctetFloats{scale, scale}, false, codes);
  }

 private:
  using Base = PartCosts<Type, kWrongSign>;
  using typename Base::Byte;
  using typename Base::Int;
  using typename Base::Scaled;
  using typename Base::Short;
  template <typename T>
  using Part = typename Base::template Part<T>;
  template <typename T>
  using EntryCosts = typename Base::template EntryCosts<T>;
  using Base::kBoth;
  using Base::kCode;
  using Base::kEntries;
  using Base::kQuarters;
  using Base::sum;
  using typename Base::Codebook;

  template <typename T>
  static constexpr T kMost = std::numeric_limits<T>::max();
  /// Of both entries together, or of each.
  template <typename T>
  using CostsOfEntries = std::array<EntryCosts<T>, std::is_same_v<T, std::uint8_t> ? 1 : kEntries>;

  /// The best second half of each octet, as kCodes times its place; the cost has the first half. Of
  /// bytes, as its place.
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
  using BestOfEntries = std::array<BestOfBoth<T>, std::is_same_v<T, std::uint8_t> ? 1 : kEntries>;
  template <typename T>
  using CodesOfEntries = std::array<Part<T>, kEntries>;

  template <typename T>
  static BestOfEntries<T> walk(const CostsOfEntries<T>& costs) noexcept;
  template <typename T>
  CodesOfEntries<T> search(std::size_t r, const Scaled& scaled) const noexcept;
  CodesOfEntries<Short> search_bytes(std::size_t r, const Scaled& scaled) const noexcept;
  void search_all(const OctetFloats& scale, bool spread, OctetCodes<Type>& codes) const noexcept;
};

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
      for (std::size_t n = 0; n < costs.size(); ++n) {
        const auto& first = costs[n].first;
        const auto& second = costs[n].second;
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
      place += static_cast<T>(std::is_same_v<T, Byte> ? 1 : Codebook::kCodes);
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
  for (std::size_t n = 0; n < kEntries; ++n) this->sum_entry(r, n * Type::kWidth, scaled, costs[n]);
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

/// The same in bytes, of both entries at once.
template <typename Type, WrongSign kWrongSign>
auto MagnitudeSearch<Type, kWrongSign>::search_bytes(std::size_t r,
                                                     const Scaled& scaled) const noexcept
    -> CodesOfEntries<Short> {
  CostsOfEntries<Byte> costs;
  this->sum_entry(r, 0, scaled, costs[0]);
  const auto& [first, second] = costs[0].quarter;
  const Part<Byte> place = walk(costs)[0].right.place;
  const Part<Byte> half = FirstHalves<Type>(first.right, second.right).best(place);
  CodesOfEntries<Short> code;
  for (std::size_t n = 0; n < kEntries; ++n) {
    code[n] = unpack(place, n) * static_cast<Short>(Codebook::kCodes) | unpack(half, n);
  }
  return code;
}

template <typename Type, WrongSign kWrongSign>
void MagnitudeSearch<Type, kWrongSign>::search_all(const OctetFloats& scale, bool spread,
                                                   OctetCodes<Type>& codes) const noexcept {
  Scaled scaled;
  this->scale_octets(scale, scaled);
  std::array<OctetWords, kEntries> words;
  const auto find = [&]<typename T>(T /*code*/) noexcept {
    for (std::size_t r = 0; r < kOctets / Part<T>::kLanes; ++r) {
      CodesOfEntries<T> code;
      if constexpr (Base::kInBytes && std::is_same_v<T, Short>) {
        code = search_bytes(r, scaled);
      } else {
        code = search<T>(r, scaled);
      }
      for (std::size_t n = 0; n < kEntries; ++n) {
        look_up_words(Codebook::kEntryAt, code[n], r, words[n]);
      }
    }
  };
  if (spread) {
    find(Int());
  } else {
    find(Short());
  }
  for (std::size_t n = 0; n < kEntries; ++n) codes.entry[n] = load_words(words[n]);
  this->measure(codes);
}

}  // namespace sluice::inline SLUICE_ISA::magnitudes
