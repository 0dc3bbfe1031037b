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
// Where a format has no room for all signs of an octet, the number of minus signs is even. In
// octets where it is not, one sign is wrong, and each half is summed a second time with its
// cheapest wrong sign: it is the one half's or the other's.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/lattice/lanes.h"
#include "codec/lattice/octets.h"
#include "codec/lattice/shorts.h"

namespace sluice::inline SLUICE_ISA {

/// A codebook and how a type uses it.
/// \tparam kGridOf        packed level numbers of each entry (codec/i_quants/packed_grids.h)
/// \tparam kMagnitudesOf  what the level numbers stand for
/// \tparam kWidthOf       weights to an entry, 8 or 4
/// \tparam kEvenSignsOf   the number of minus signs in an octet must be even
/// \tparam kSubBlockOf    weights to a scale, 16 or 32
template <const auto& kGridOf, const auto& kMagnitudesOf, std::size_t kWidthOf, bool kEvenSignsOf,
          std::size_t kSubBlockOf>
struct MagnitudeFormat {
  static constexpr const auto& kGrid = kGridOf;
  static constexpr const auto& kMagnitudes = kMagnitudesOf;
  static constexpr std::size_t kWidth = kWidthOf;
  static constexpr bool kEvenSigns = kEvenSignsOf;
  static constexpr std::size_t kSubBlock = kSubBlockOf;

  static constexpr std::size_t kLevels = kMagnitudes.size();
  static constexpr int kLevelBits = kLevels > 4 ? 3 : 2;
  static constexpr float kLargest = kMagnitudes[kLevels - 1];
  static constexpr std::size_t kParts = kOctet / kWidth;  ///< entries to an octet
};

/// An integer for each of the 32 lanes.
using OctetNumbers = std::array<std::array<std::int32_t, kLanes>, kLaneHalves>;

/// Codes of all octets. The error of an octet at any scale is that of coding zeros plus
/// scale * scale * norm - 2 * scale * dot.
template <typename Format>
struct OctetCodes {
  std::array<OctetNumbers, Format::kParts> entry;
  std::array<Lanes, kLaneHalves> dot;
  std::array<Lanes, kLaneHalves> norm;
};

/// Signs of all octets, bit j for position j, and the values that codes and signs stand for.
struct OctetValues {
  OctetNumbers signs;
  OctetRows y;  ///< +-magnitude
};

template <typename Format>
class MagnitudeSearch {
 public:
  explicit MagnitudeSearch(const Octets& octets) noexcept;

  /// The best entries at each sub-block's scale; `scale` has it in all of the sub-block's lanes.
  void nearest(const Lanes& scale, OctetCodes<Format>& codes) const noexcept;

  /// The signs of x, one of them changed, at the least cost, where an even number is asked for.
  OctetValues with_signs(const OctetCodes<Format>& codes) const noexcept;

 private:
  static constexpr std::size_t kLevels = Format::kLevels;
  static constexpr std::size_t kHalfWidth = Format::kWidth / 2;
  static constexpr std::size_t kHalves = kHalfWidth == 4 ? 81 : 64;
  static_assert(kHalfWidth == 4 ? kLevels == 3 : kHalfWidth == 2 && kLevels == 8);
  static constexpr std::size_t kRegistersOfShorts = kOctets / kRegisterShorts;

  /// Values reach 1.5 times the largest magnitude, or a lane's share of that, in fixed point.
  /// Farther ones are drawn in: their nearest level is the largest anyway.
  static constexpr float kFarthest = 1.5f * Format::kLargest;
  static constexpr float kOne = 32767 / kFarthest;

  struct alignas(64) Shorts : std::array<std::int16_t, kOctets> {
    ShortRegister load(std::size_t r) const noexcept {
      ShortRegister value;
      std::memcpy(&value, this->data() + r * kRegisterShorts, sizeof(value));
      return value;
    }
    void put(std::size_t half, const Lanes& values) noexcept {
      std::array<float, kLanes> numbers;
      values.store(numbers.data());
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        (*this)[half * kLanes + lane] = static_cast<std::int16_t>(static_cast<int>(numbers[lane]));
      }
    }
  };
  using Positions = std::array<Shorts, kOctet>;

  /// What each of some parts of an entry costs with right signs, and with one wrong sign if the
  /// octet needs one.
  template <std::size_t kCount>
  struct Costs {
    std::array<ShortRegister, kCount> right;
    std::array<ShortRegister, Format::kEvenSigns ? kCount : 0> wrong;
  };
  using HalfCosts = std::array<Costs<kHalves>, 2>;
  /// The best chunk of each octet. `place` is twice its number, and one more if the first half of
  /// its entries has right signs.
  struct Best {
    ShortRegister cost = ShortRegister{} + std::int16_t{32767};
    ShortRegister place = ShortRegister{} + std::int16_t{1};

    void add(const ShortRegister& other_cost, const ShortRegister& other_place) noexcept {
      place = other_cost < cost ? other_place : place;
      cost = lesser(cost, other_cost);
    }
  };

  /// All pairs of parts, those of `b` following each other.
  template <std::size_t kA, std::size_t kB>
  static void join(const Costs<kA>& a, const Costs<kB>& b, Costs<kA * kB>& out) noexcept {
    for (std::size_t i = 0; i < kA; ++i) {
      for (std::size_t k = 0; k < kB; ++k) {
        out.right[kB * i + k] = add_saturated(a.right[i], b.right[k]);
        if constexpr (Format::kEvenSigns) {
          out.wrong[kB * i + k] =
              lesser(add_saturated(a.wrong[i], b.right[k]), add_saturated(a.right[i], b.wrong[k]));
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

  /// A half of an entry as a number in base kLevels, first position highest.
  static constexpr std::size_t half_number(std::size_t entry, std::size_t half) noexcept {
    std::size_t number = 0;
    for (std::size_t j = half * kHalfWidth; j < (half + 1) * kHalfWidth; ++j) {
      const unsigned level = Format::kGrid[entry] >> (Format::kLevelBits * static_cast<int>(j)) &
                             ((1u << Format::kLevelBits) - 1);
      number = number * kLevels + level;
    }
    return number;
  }

  /// How many of the entries from `start` on make a chunk.
  static constexpr std::size_t chunk_size(std::size_t start) noexcept {
    std::size_t size = 1;
    while (size < kInChunk && start + size < Format::kGrid.size() &&
           half_number(start + size, 1) == half_number(start, 1)) {
      ++size;
    }
    return size;
  }

  static constexpr std::size_t kChunkCount = [] {
    std::size_t count = 0;
    for (std::size_t start = 0; start < Format::kGrid.size(); start += chunk_size(start)) ++count;
    return count;
  }();

  static constexpr auto kChunks = [] {
    constexpr auto offset = [](std::size_t entry, std::size_t half) {
      return static_cast<std::uint16_t>(half_number(entry, half) * sizeof(ShortRegister));
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
  struct BestOfBoth {
    Best right;
    Best wrong;
  };
  using CostsOfParts = std::array<HalfCosts, Format::kParts>;
  static std::array<BestOfBoth, Format::kParts> walk(const CostsOfParts& costs) noexcept;
  static std::int16_t entry_at(const HalfCosts& costs, std::int16_t place,
                               std::size_t lane) noexcept;
  void search(std::size_t r, const Positions& place,
              std::array<Shorts, Format::kParts>& found) const noexcept;

  /// The packed level numbers of a half's octets, position j at bit kLevelBits * j.
  static std::array<std::int32_t, kLanes> packed_levels(const OctetCodes<Format>& codes,
                                                        std::size_t h) noexcept;
  static FloatRegister magnitudes(IntRegister packed, std::size_t j) noexcept;
  void measure(OctetCodes<Format>& codes) const noexcept;

  const Octets& octets_;
  OctetRows size_;                            // |x|
  OctetRows wx_;                              // w |x|
  OctetRows root_;                            // kOne * square root of w's share of the octet's
  std::array<Lanes, kLaneHalves> odd_;        // 1: the number of minus signs is odd
  std::array<Positions, kLevels> level_;      // [level][position] in fixed point
  std::array<Positions, kLevels> odd_level_;  // the same, negative where odd
};

template <typename Format>
MagnitudeSearch<Format>::MagnitudeSearch(const Octets& octets) noexcept : octets_(octets) {
  for (std::size_t h = 0; h < kLaneHalves; ++h) {
    Lanes signs = 1;
    Lanes largest = 0x1p-100f;
    for (std::size_t j = 0; j < kOctet; ++j) {
      const Lanes& x = octets.x[2 * j + h];
      size_[2 * j + h] = magnitude(x);
      wx_[2 * j + h] = octets.w[2 * j + h] * size_[2 * j + h];
      signs = select(x < 0, Lanes(0) - signs, signs);
      largest = greater(largest, octets.w[2 * j + h]);
    }
    const LaneMask odd = signs < 0;
    odd_[h] = select(odd, 1, 0);
    const Lanes inverse = Lanes(1) / largest;
    for (std::size_t j = 0; j < kOctet; ++j) {
      const Lanes root = square_root(octets.w[2 * j + h] * inverse) * kOne;
      root_[2 * j + h] = root;
      for (std::size_t level = 0; level < kLevels; ++level) {
        const Lanes place = root * static_cast<float>(Format::kMagnitudes[level]) + 0.5f;
        level_[level][j].put(h, place);
        if constexpr (Format::kEvenSigns) {
          odd_level_[level][j].put(h, select(odd, Lanes(0) - place, place));
        }
      }
    }
  }
}

template <typename Format>
auto MagnitudeSearch<Format>::level_costs(std::size_t r, std::size_t j,
                                          const Positions& place) const noexcept -> Costs<kLevels> {
  // Fine levels are told apart by twice the distance, drawn in for levels that are far from it.
  const auto square = [](ShortRegister distance) noexcept {
    return square_high(kLevels > 4 ? add_saturated(distance, distance) : distance);
  };
  const ShortRegister p = place[j].load(r);
  Costs<kLevels> costs;
  for (std::size_t level = 0; level < kLevels; ++level) {
    costs.right[level] = square(p - level_[level][j].load(r));
    if constexpr (Format::kEvenSigns) {
      costs.wrong[level] = square(add_saturated(p, -odd_level_[level][j].load(r)));
    }
  }
  return costs;
}

template <typename Format>
void MagnitudeSearch<Format>::sum_halves(std::size_t r, std::size_t first, const Positions& place,
                                         HalfCosts& costs) const noexcept {
  for (Costs<kHalves>& half : costs) {
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

/// The first of the best chunks for each part, with right signs and with one wrong sign where needed.
template <typename Format>
auto MagnitudeSearch<Format>::walk(const CostsOfParts& costs) noexcept
    -> std::array<BestOfBoth, Format::kParts> {
  const auto at = [](const auto& parts, std::uint16_t offset) noexcept -> const ShortRegister& {
    return *reinterpret_cast<const ShortRegister*>(reinterpret_cast<const char*>(&parts) + offset);
  };
  const auto least_of_first = [&](const auto& parts, const Chunk& chunk) noexcept {
    const ShortRegister ab = lesser(at(parts, chunk.first[0]), at(parts, chunk.first[1]));
    const ShortRegister cd = lesser(at(parts, chunk.first[2]), at(parts, chunk.first[3]));
    return lesser(ab, cd);
  };
  std::array<BestOfBoth, Format::kParts> best;
  ShortRegister place = ShortRegister{} + std::int16_t{1};
  for (const Chunk& chunk : kChunks) {
    for (std::size_t part = 0; part < Format::kParts; ++part) {
      const auto& [first, second] = costs[part];
      const ShortRegister right_first = least_of_first(first.right, chunk);
      const ShortRegister& right_second = at(second.right, chunk.second);
      if constexpr (!Format::kEvenSigns || Format::kParts == 2) {
        best[part].right.add(add_saturated(right_first, right_second), place);
      }
      if constexpr (Format::kEvenSigns) {
        const ShortRegister in_first =
            add_saturated(least_of_first(first.wrong, chunk), right_second);
        const ShortRegister in_second = add_saturated(right_first, at(second.wrong, chunk.second));
        best[part].wrong.add(lesser(in_first, in_second),
                             in_first < in_second ? place - std::int16_t{1} : place);
      }
    }
    place += std::int16_t{2};
  }
  return best;
}

/// The first of the best entries of an octet's best chunk.
template <typename Format>
std::int16_t MagnitudeSearch<Format>::entry_at(const HalfCosts& costs, std::int16_t place,
                                               std::size_t lane) noexcept {
  const Chunk& chunk = kChunks[static_cast<std::size_t>(place) / 2];
  const void* parts = &costs[0].right;
  if constexpr (Format::kEvenSigns) {
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

template <typename Format>
void MagnitudeSearch<Format>::search(std::size_t r, const Positions& place,
                                     std::array<Shorts, Format::kParts>& found) const noexcept {
  CostsOfParts costs;
  for (std::size_t part = 0; part < Format::kParts; ++part) {
    sum_halves(r, part * Format::kWidth, place, costs[part]);
  }
  const std::array<BestOfBoth, Format::kParts> of_part = walk(costs);
  std::array<ShortRegister, Format::kParts> best;
  for (std::size_t part = 0; part < Format::kParts; ++part) {
    best[part] = Format::kEvenSigns ? of_part[part].wrong.place : of_part[part].right.place;
  }
  if constexpr (Format::kEvenSigns && Format::kParts == 2) {
    // The wrong sign is in one of the two entries.
    const auto& [first, second] = of_part;
    const auto in_second = add_saturated(first.right.cost, second.wrong.cost) <
                           add_saturated(first.wrong.cost, second.right.cost);
    best[0] = in_second ? first.right.place : best[0];
    best[1] = in_second ? best[1] : second.right.place;
  }
  for (std::size_t part = 0; part < Format::kParts; ++part) {
    std::array<std::int16_t, kRegisterShorts> places;
    std::memcpy(places.data(), &best[part], sizeof(places));
    for (std::size_t lane = 0; lane < kRegisterShorts; ++lane) {
      found[part][r * kRegisterShorts + lane] = entry_at(costs[part], places[lane], lane);
    }
  }
}

template <typename Format>
void MagnitudeSearch<Format>::nearest(const Lanes& scale,
                                      OctetCodes<Format>& codes) const noexcept {
  const Lanes inverse = select(scale > 0x1p-60f, Lanes(1) / scale, 0);
  Positions place;
  for (std::size_t j = 0; j < kOctet; ++j) {
    for (std::size_t h = 0; h < kLaneHalves; ++h) {
      const Lanes near = lesser(size_[2 * j + h] * inverse, kFarthest);
      place[j].put(h, near * root_[2 * j + h] + 0.5f);
    }
  }
  std::array<Shorts, Format::kParts> found;
  for (std::size_t r = 0; r < kRegistersOfShorts; ++r) search(r, place, found);
  for (std::size_t part = 0; part < Format::kParts; ++part) {
    for (std::size_t lane = 0; lane < kOctets; ++lane) {
      codes.entry[part][lane / kLanes][lane % kLanes] = found[part][lane];
    }
  }
  measure(codes);
}

template <typename Format>
std::array<std::int32_t, kLanes> MagnitudeSearch<Format>::packed_levels(
    const OctetCodes<Format>& codes, std::size_t h) noexcept {
  std::array<std::int32_t, kLanes> packed{};
  for (std::size_t part = 0; part < Format::kParts; ++part) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const auto entry = static_cast<std::size_t>(codes.entry[part][h][lane]);
      packed[lane] |= std::int32_t{Format::kGrid[entry]}
                      << (Format::kLevelBits * static_cast<int>(part * Format::kWidth));
    }
  }
  return packed;
}

template <typename Format>
FloatRegister MagnitudeSearch<Format>::magnitudes(IntRegister packed, std::size_t j) noexcept {
  const IntRegister level =
      packed >> (Format::kLevelBits * static_cast<int>(j)) & ((1 << Format::kLevelBits) - 1);
  // Levels are evenly spaced, but for the last one.
  constexpr int kFirst = Format::kMagnitudes[0];
  constexpr int kStep = Format::kMagnitudes[1] - kFirst;
  constexpr int kLast = static_cast<int>(kLevels) - 1;
  constexpr int kMore = Format::kMagnitudes[kLevels - 1] - kFirst - kLast * kStep;
  static_assert([] {
    for (int i = 0; i < kLast; ++i) {
      if (Format::kMagnitudes[static_cast<std::size_t>(i)] != kFirst + i * kStep) return false;
    }
    return true;
  }());
  IntRegister value = level * kStep + kFirst;
  if constexpr (kMore != 0) value += (level == kLast) & kMore;
  return __builtin_convertvector(value, FloatRegister);
}

template <typename Format>
void MagnitudeSearch<Format>::measure(OctetCodes<Format>& codes) const noexcept {
  for (std::size_t h = 0; h < kLaneHalves; ++h) {
    const std::array<std::int32_t, kLanes> packed = packed_levels(codes, h);
    for (std::size_t r = 0; r < kRegisters; ++r) {
      IntRegister levels;
      std::memcpy(&levels, &packed[r * kRegisterLanes], sizeof(levels));
      FloatRegister dot{};
      FloatRegister norm{};
      FloatRegister smallest = FloatRegister{} + 0x1p100f;
      for (std::size_t j = 0; j < kOctet; ++j) {
        const FloatRegister g = magnitudes(levels, j);
        const FloatRegister term = wx_[2 * j + h].part[r] * g;
        dot += term;
        norm += octets_.w[2 * j + h].part[r] * (g * g);
        if constexpr (Format::kEvenSigns) smallest = term < smallest ? term : smallest;
      }
      if constexpr (Format::kEvenSigns) dot -= odd_[h].part[r] * 2.0f * smallest;
      codes.dot[h].part[r] = dot;
      codes.norm[h].part[r] = norm;
    }
  }
}

template <typename Format>
OctetValues MagnitudeSearch<Format>::with_signs(const OctetCodes<Format>& codes) const noexcept {
  OctetValues out;
  for (std::size_t h = 0; h < kLaneHalves; ++h) {
    const std::array<std::int32_t, kLanes> packed = packed_levels(codes, h);
    for (std::size_t r = 0; r < kRegisters; ++r) {
      IntRegister levels;
      std::memcpy(&levels, &packed[r * kRegisterLanes], sizeof(levels));
      std::array<FloatRegister, kOctet> g;
      FloatRegister smallest = FloatRegister{} + 0x1p100f;
      IntRegister cheapest{};
      IntRegister signs{};
      for (std::size_t j = 0; j < kOctet; ++j) {
        const std::int32_t bit = 1 << j;
        g[j] = magnitudes(levels, j);
        signs |= (octets_.x[2 * j + h].part[r] < 0.0f) & bit;
        if constexpr (Format::kEvenSigns) {
          const FloatRegister term = wx_[2 * j + h].part[r] * g[j];
          cheapest = term < smallest ? IntRegister{} + bit : cheapest;
          smallest = term < smallest ? term : smallest;
        }
      }
      if constexpr (Format::kEvenSigns) signs ^= cheapest & (odd_[h].part[r] > 0.0f);
      for (std::size_t j = 0; j < kOctet; ++j) {
        const IntRegister minus = (signs & (1 << j)) != 0;
        out.y[2 * j + h].part[r] = minus ? -g[j] : g[j];
      }
      std::memcpy(&out.signs[h][r * kRegisterLanes], &signs, sizeof(signs));
    }
  }
  return out;
}

}  // namespace sluice::inline SLUICE_ISA
