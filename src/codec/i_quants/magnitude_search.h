#pragma once

// The nearest entries of a codebook of magnitudes for all octets of a super-block, at a scale for
// each sub-block: every entry is tried. IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S.
//
// At a given scale the cost of each level at each position is known, w * (scale * level - |x|)^2.
// An entry is made of two halves: the costs of all halves are summed first, 81 or 64 each. This is
// done in 16-bit fixed point, in shares of what the octet's weightiest position can cost; what is
// found is then measured in floats.
//
// Codebooks are sorted, so that up to four entries in a row have their second half in common: of
// their first halves only the least cost is wanted. An entry costs one minimum for 32 octets and a
// quarter of what it takes to remember the best four. Which of the four it is, each octet looks up
// at the end.
//
// Where an odd number of minus signs must be made even, each half is summed a second time with its
// cheapest wrong sign: it is the one half's or the other's.

#include "codec/i_quants/magnitudes.h"

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
  static constexpr std::size_t kLevels = Magnitudes::kLevels;
  static constexpr std::size_t kEntries = Magnitudes::kEntries;
  static constexpr std::size_t kHalfWidth = Magnitudes::kHalfWidth;
  static constexpr std::size_t kHalfCount = kHalfWidth == 4 ? 81 : 64;
  static_assert(kHalfWidth == 4 ? kLevels == 3 : kHalfWidth == 2 && kLevels == 8);

  /// Values reach 1.5 times the largest magnitude, or a lane's share of that, in fixed point.
  /// Farther ones are drawn in: their nearest level is the largest anyway.
  static constexpr float kFarthest = 1.5f * Magnitudes::kLargest;
  static constexpr float kOne = 32767 / kFarthest;

  using Part = simd::Part<std::int16_t>;  ///< the octets that are searched together
  static constexpr std::size_t kPartOctets = Part::kLanes;
  using Positions = std::array<simd::Shorts, kOctet>;

  /// What each of some parts of an entry costs with right signs, and with one wrong sign if the
  /// octet needs one.
  template <std::size_t kCount>
  struct Costs {
    std::array<Part, kCount> right;
    std::array<Part, Type::kEvenSigns ? kCount : 0> wrong;
  };
  using HalfCosts = std::array<Costs<kHalfCount>, 2>;
  using CostsOfEntries = std::array<HalfCosts, kEntries>;

  /// The best chunk of each octet. `place` is twice its number, and one more if the first half of
  /// its entries has right signs.
  struct Best {
    Part cost = 32767;
    Part place = 1;

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

  /// Some entries that follow each other and have the second half in common. Where there are
  /// fewer than kInChunk, the last one stands for those that lack.
  static constexpr std::size_t kInChunk = 4;
  struct Chunk {
    // Where the halves' costs are, in bytes, so that no instruction has to multiply.
    std::array<std::uint16_t, kInChunk> first;
    std::uint16_t second;
    std::uint16_t start;  ///< the first of the entries
  };

  /// How many of the entries from `start` on make a chunk.
  static constexpr std::size_t chunk_size(std::size_t start) noexcept {
    std::size_t size = 1;
    while (size < kInChunk && start + size < Type::kGrid.size() &&
           Magnitudes::half_number(start + size, 1) == Magnitudes::half_number(start, 1)) {
      ++size;
    }
    return size;
  }

  static constexpr std::size_t kChunkCount = [] {
    std::size_t count = 0;
    for (std::size_t start = 0; start < Type::kGrid.size(); start += chunk_size(start)) ++count;
    return count;
  }();

  static constexpr auto kChunks = [] {
    constexpr auto offset = [](std::size_t entry, std::size_t half) {
      return static_cast<std::uint16_t>(Magnitudes::half_number(entry, half) * sizeof(Part));
    };
    std::array<Chunk, kChunkCount> chunks{};
    std::size_t start = 0;
    for (Chunk& chunk : chunks) {
      const std::size_t size = chunk_size(start);
      for (std::size_t k = 0; k < kInChunk; ++k) {
        chunk.first[k] = offset(start + (k < size ? k : size - 1), 0);
      }
      chunk.second = offset(start, 1);
      chunk.start = static_cast<std::uint16_t>(start);
      start += size;
    }
    return chunks;
  }();

  Costs<kLevels> level_costs(std::size_t r, std::size_t j, const Positions& place) const noexcept;
  void sum_halves(std::size_t r, std::size_t first, const Positions& place,
                  HalfCosts& costs) const noexcept;
  static std::array<BestOfBoth, kEntries> walk(const CostsOfEntries& costs) noexcept;
  static std::int16_t entry_at(const HalfCosts& costs, std::int16_t place,
                               std::size_t lane) noexcept;
  void search(std::size_t r, const Positions& place,
              std::int16_t (&found)[kEntries][kOctets]) const noexcept;

  OctetRows root_;                            // kOne * square root of w's share of the octet's
  std::array<Positions, kLevels> level_;      // [level][position] in fixed point
  std::array<Positions, kLevels> odd_level_;  // the same, negative where odd
};

template <typename Type>
MagnitudeSearch<Type>::MagnitudeSearch(const Octets& octets) noexcept : Measure<Type>(octets) {
  for (std::size_t h = 0; h < kHalves; ++h) {
    Floats largest = 0x1p-100f;
    for (std::size_t j = 0; j < kOctet; ++j) largest = max(largest, octets.w[2 * j + h]);
    const Floats inverse = Floats(1) / largest;
    for (std::size_t j = 0; j < kOctet; ++j) {
      root_[2 * j + h] = sqrt(octets.w[2 * j + h] * inverse) * kOne;
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
        odd_level_[level][j] = narrow(to_ints(place[0]), to_ints(place[1]));
      }
    }
  }
}

template <typename Type>
SLUICE_INLINE auto MagnitudeSearch<Type>::level_costs(std::size_t r, std::size_t j,
                                                      const Positions& place) const noexcept
    -> Costs<kLevels> {
  // Fine levels are told apart by twice the distance, drawn in for levels that are far from it.
  const auto square = [](const Part& distance) noexcept {
    const Part d = kLevels > 4 ? add_saturated(distance, distance) : distance;
    return multiply_high(d, d);
  };
  const Part p = simd::part_of(place[j], r);
  Costs<kLevels> costs;
  for (std::size_t level = 0; level < kLevels; ++level) {
    costs.right[level] = square(p - simd::part_of(level_[level][j], r));
    if constexpr (Type::kEvenSigns) {
      costs.wrong[level] = square(add_saturated(p, -simd::part_of(odd_level_[level][j], r)));
    }
  }
  return costs;
}

template <typename Type>
void MagnitudeSearch<Type>::sum_halves(std::size_t r, std::size_t first, const Positions& place,
                                       HalfCosts& costs) const noexcept {
  for (Costs<kHalfCount>& half : costs) {
    if constexpr (kHalfWidth == 2) {
      join(level_costs(r, first, place), level_costs(r, first + 1, place), half);
    } else {
      Costs<9> high;
      Costs<9> low;
      join(level_costs(r, first, place), level_costs(r, first + 1, place), high);
      join(level_costs(r, first + 2, place), level_costs(r, first + 3, place), low);
      join(high, low, half);
    }
    first += kHalfWidth;
  }
}

/// The first of the best chunks for each entry: with right signs, with one wrong sign where needed.
template <typename Type>
auto MagnitudeSearch<Type>::walk(const CostsOfEntries& costs) noexcept
    -> std::array<BestOfBoth, kEntries> {
  const auto at = [](const auto& parts, std::uint16_t offset) noexcept -> const Part& {
    return *reinterpret_cast<const Part*>(reinterpret_cast<const char*>(&parts) + offset);
  };
  const auto least_of_first = [&](const auto& parts, const Chunk& chunk) noexcept {
    const Part ab = min(at(parts, chunk.first[0]), at(parts, chunk.first[1]));
    const Part cd = min(at(parts, chunk.first[2]), at(parts, chunk.first[3]));
    return min(ab, cd);
  };
  std::array<BestOfBoth, kEntries> best;
  Part place = 1;
  for (const Chunk& chunk : kChunks) {
    for (std::size_t n = 0; n < kEntries; ++n) {
      const auto& [first, second] = costs[n];
      const Part right_first = least_of_first(first.right, chunk);
      const Part& right_second = at(second.right, chunk.second);
      if constexpr (!Type::kEvenSigns || kEntries == 2) {
        best[n].right.add(add_saturated(right_first, right_second), place);
      }
      if constexpr (Type::kEvenSigns) {
        const Part in_first = add_saturated(least_of_first(first.wrong, chunk), right_second);
        const Part in_second = add_saturated(right_first, at(second.wrong, chunk.second));
        best[n].wrong.add(min(in_first, in_second), subtract_where(in_first < in_second, place, 1));
      }
    }
    place += 2;
  }
  return best;
}

/// The first of the best entries of an octet's best chunk.
template <typename Type>
std::int16_t MagnitudeSearch<Type>::entry_at(const HalfCosts& costs, std::int16_t place,
                                             std::size_t lane) noexcept {
  const Chunk& chunk = kChunks[static_cast<std::size_t>(place) / 2];
  const void* parts = &costs[0].right;
  if constexpr (Type::kEvenSigns) {
    if (place % 2 == 0) parts = &costs[0].wrong;
  }
  const char* const of_lane = static_cast<const char*>(parts) + lane * sizeof(std::int16_t);
  unsigned least = ~0u;
  for (unsigned k = 0; k < kInChunk; ++k) {
    std::uint16_t cost;
    std::memcpy(&cost, of_lane + chunk.first[k], sizeof(cost));
    const unsigned with_k = cost * unsigned{kInChunk} + k;
    least = with_k < least ? with_k : least;
  }
  return static_cast<std::int16_t>(chunk.start + least % kInChunk);
}

template <typename Type>
void MagnitudeSearch<Type>::search(std::size_t r, const Positions& place,
                                   std::int16_t (&found)[kEntries][kOctets]) const noexcept {
  CostsOfEntries costs;
  for (std::size_t n = 0; n < kEntries; ++n) sum_halves(r, n * Type::kWidth, place, costs[n]);
  const std::array<BestOfBoth, kEntries> of_entry = walk(costs);
  std::array<Part, kEntries> best;
  for (std::size_t n = 0; n < kEntries; ++n) {
    best[n] = Type::kEvenSigns ? of_entry[n].wrong.place : of_entry[n].right.place;
  }
  if constexpr (Type::kEvenSigns && kEntries == 2) {
    // The wrong sign is in one of the two entries.
    const auto& [first, second] = of_entry;
    const auto in_second = add_saturated(first.right.cost, second.wrong.cost) <
                           add_saturated(first.wrong.cost, second.right.cost);
    best[0] = select(in_second, first.right.place, best[0]);
    best[1] = select(in_second, best[1], second.right.place);
  }
  for (std::size_t n = 0; n < kEntries; ++n) {
    std::int16_t places[kPartOctets];
    best[n].store(places);
    for (std::size_t lane = 0; lane < kPartOctets; ++lane) {
      found[n][r * kPartOctets + lane] = entry_at(costs[n], places[lane], lane);
    }
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
      const Floats near = min(abs(this->octets_.x[row]) * inverse[h], kFarthest);
      of_half[h] = near * root_[row] + 0.5f;
    }
    place[j] = narrow(to_ints(of_half[0]), to_ints(of_half[1]));
  }
  std::int16_t found[kEntries][kOctets];
  for (std::size_t r = 0; r < simd::Shorts::kParts; ++r) search(r, place, found);
  for (std::size_t n = 0; n < kEntries; ++n) {
    const simd::Shorts entries = simd::Shorts::load(found[n]);
    for (std::size_t h = 0; h < kHalves; ++h) codes.entry[n][h] = widen(entries, h);
  }
  this->measure(codes);
}

}  // namespace sluice::inline SLUICE_ISA::magnitudes
