#pragma once

// Types that code eight weights with one sign pattern, an octet, as entries of a codebook of
// magnitudes: IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S. A super-block has 32 octets, and one octet is
// one lane: nothing is summed across lanes before the sums of a sub-block, so that the width of a
// register does not show in the bytes.
//
// Where a format has no room for all signs of an octet, the number of minus signs is even. In
// octets where it is not, one sign is wrong.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/weighting.h"
#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA::magnitudes {

using simd::Floats;
using simd::Ints;

inline constexpr std::size_t kOctet = 8;
inline constexpr std::size_t kOctets = 32;  ///< in a super-block
inline constexpr std::size_t kHalves = 2;   ///< the 32 lanes are two times 16

/// Position j of the octets of half h is row 2 * j + h.
using OctetRows = std::array<Floats, kOctet * kHalves>;
using Octets = WeightedBlocks<kOctet * kHalves>;
using OctetFloats = std::array<Floats, kHalves>;
using OctetInts = std::array<Ints, kHalves>;

/// The lane, of 32, of octet k of sub-block b. With sub-blocks of 16 weights, the two octets are
/// lane b of both halves. With sub-blocks of 32, the four are lanes b and b + 8 of both halves.
template <std::size_t kSubBlock>
constexpr std::size_t lane_of_octet(std::size_t b, std::size_t k) noexcept {
  static_assert(kSubBlock == 16 || kSubBlock == 32);
  return 256 / kSubBlock * k + b;
}

/// Lays out the 256 values of a super-block.
template <std::size_t kSubBlock>
void to_octet_rows(const float* values, OctetRows& rows) noexcept {
  constexpr std::size_t kLanes = Floats::kLanes;
  float* const columns = reinterpret_cast<float*>(rows.data());
  for (std::size_t k = 0; k < kSubBlock / kOctet; ++k) {
    for (std::size_t b = 0; b < 256 / kSubBlock; b += 4) {
      const std::size_t lane = lane_of_octet<kSubBlock>(b, k);
      for (std::size_t j = 0; j < kOctet; j += 4) {
        simd::transpose_4x4(values + kSubBlock * b + kOctet * k + j, kSubBlock,
                            columns + (2 * j + lane / kLanes) * kLanes + lane % kLanes, 2 * kLanes);
      }
    }
  }
}

template <std::size_t kSubBlock>
void load_octets(const float* values, const float* importance, Octets& octets) noexcept {
  to_octet_rows<kSubBlock>(values, octets.x);
  if (importance != nullptr) to_octet_rows<kSubBlock>(importance, octets.q);
  octets.prepare<kSubBlock == 16 ? Share::block : Share::pairs>(importance != nullptr);
}

/// What both halves have, summed over each sub-block, in each of its lanes.
template <std::size_t kSubBlock>
Floats sum_of_sub_blocks(const OctetFloats& halves) noexcept {
  const Floats sum = halves[0] + halves[1];
  return kSubBlock == 16 ? sum : sum + swap_halves(sum);
}

/// What follows from how a type uses its codebook. Type has
///   kGrid        packed level numbers of each entry (packed_grids.h)
///   kMagnitudes  what the level numbers stand for
///   kWidth       weights to an entry, 8 or 4
///   kEvenSigns   whether the number of minus signs in an octet must be even
///   kSubBlock    weights to a scale, 16 or 32
template <typename Type>
struct Format {
  static constexpr std::size_t kLevels = Type::kMagnitudes.size();
  static constexpr int kLevelBits = kLevels > 4 ? 3 : 2;
  static constexpr float kLargest = Type::kMagnitudes[kLevels - 1];
  static constexpr std::size_t kEntries = kOctet / Type::kWidth;  ///< to an octet
  static constexpr std::size_t kHalfWidth = Type::kWidth / 2;

  /// A half of an entry as a number in base kLevels, first position highest.
  static constexpr std::size_t half_number(std::size_t entry, std::size_t half) noexcept {
    std::size_t number = 0;
    for (std::size_t j = half * kHalfWidth; j < (half + 1) * kHalfWidth; ++j) {
      const unsigned level =
          Type::kGrid[entry] >> (kLevelBits * static_cast<int>(j)) & ((1u << kLevelBits) - 1);
      number = number * kLevels + level;
    }
    return number;
  }

  /// An entry's number, and above it its packed level numbers, so that both are looked up at once.
  static constexpr int kNumberBits = 10;
  static constexpr std::int32_t word(std::size_t entry) noexcept {
    static_assert(Type::kGrid.size() <= 1u << kNumberBits);
    return static_cast<std::int32_t>(std::uint32_t{Type::kGrid[entry]} << kNumberBits | entry);
  }
  template <typename Words>
  static SLUICE_INLINE Words number(const Words& words) noexcept {
    return words & ((1 << kNumberBits) - 1);
  }
  /// What position j of an entry stands for.
  template <std::size_t N>
  static SLUICE_INLINE simd::Lanes<float, N> magnitude(const simd::Lanes<std::int32_t, N>& words,
                                                       std::size_t j) noexcept {
    simd::Lanes<std::int32_t, N> level;
    for (std::size_t i = 0; i < level.kParts; ++i) {
      level.part[i] = words.part[i] >> (kNumberBits + kLevelBits * static_cast<int>(j));
    }
    return look_up(kOfLevel.magnitude, level);
  }

 private:
  /// By the lowest bits of a number that ends in a level's; as long as look_up() asks for.
  static constexpr std::size_t kTableSize = std::max<std::size_t>(8, simd::Part<float>::kLanes);
  struct Table {
    float magnitude[kTableSize];
  };
  static constexpr Table kOfLevel = [] {
    Table table{};
    for (std::size_t i = 0; i < kTableSize; ++i) {
      const std::size_t level = i % (std::size_t{1} << kLevelBits);
      table.magnitude[i] = level < kLevels ? Type::kMagnitudes[level] : 0;
    }
    return table;
  }();
};

/// Codes of all octets. The error of an octet at any scale is that of coding zeros plus
/// scale * scale * norm - 2 * scale * dot.
template <typename Type>
struct OctetCodes {
  std::array<OctetInts, Format<Type>::kEntries> entry;  ///< words of the format
  OctetFloats dot;
  OctetFloats norm;
};

/// Words of all octets, as look-ups from memory leave them.
using OctetWords = std::array<std::int32_t, kOctets>;

/// The words of the octets of part r, which are table[index].
template <std::size_t kSize, typename T, std::size_t N>
SLUICE_INLINE void look_up_words(const std::array<std::int32_t, kSize>& table,
                                 const simd::Lanes<T, N>& index, std::size_t r,
                                 OctetWords& words) noexcept {
  T lanes[N];
  index.store(lanes);
  for (std::size_t lane = 0; lane < N; ++lane) {
    words[r * N + lane] = table[static_cast<std::size_t>(lanes[lane])];
  }
}
inline OctetInts load_words(const OctetWords& words) noexcept {
  return {Ints::load(&words[0]), Ints::load(&words[Ints::kLanes])};
}

/// Signs of all octets, bit j for position j, and the values that codes and signs stand for.
struct OctetValues {
  OctetInts signs;
  OctetRows y;  ///< +-magnitude
};

/// What codes of a super-block's octets are worth.
template <typename Type>
class Measure {
 public:
  explicit Measure(const Octets& octets) noexcept;

  /// Fills in dot and norm.
  void measure(OctetCodes<Type>& codes) const noexcept;

  /// The signs of x, one of them changed, at the least cost, where an even number is asked for.
  OctetValues with_signs(const OctetCodes<Type>& codes) const noexcept;

 protected:
  const Octets& octets_;
  OctetRows wx_;     // w |x|
  OctetFloats odd_;  // 1: the number of minus signs is odd

 private:
  using PartFloats = simd::Part<float>;
  using PartInts = simd::Part<std::int32_t>;
  using Magnitudes = Format<Type>;

  /// What position j of the octets of a part stands for.
  static SLUICE_INLINE PartFloats magnitude(const OctetCodes<Type>& codes, std::size_t h,
                                            std::size_t r, std::size_t j) noexcept {
    return Magnitudes::magnitude(simd::part_of(codes.entry[j / Type::kWidth][h], r),
                                 j % Type::kWidth);
  }
};

template <typename Type>
Measure<Type>::Measure(const Octets& octets) noexcept : octets_(octets) {
  for (std::size_t h = 0; h < kHalves; ++h) {
    Floats signs = 1;
    for (std::size_t j = 0; j < kOctet; ++j) {
      const Floats& x = octets.x[2 * j + h];
      wx_[2 * j + h] = octets.w[2 * j + h] * abs(x);
      signs = select(x < 0, -signs, signs);
    }
    odd_[h] = select(signs < 0, Floats(1), 0);
  }
}

template <typename Type>
void Measure<Type>::measure(OctetCodes<Type>& codes) const noexcept {
  for (std::size_t h = 0; h < kHalves; ++h) {
    for (std::size_t r = 0; r < Floats::kParts; ++r) {
      PartFloats dot = 0;
      PartFloats norm = 0;
      PartFloats smallest = 0x1p100f;
      for (std::size_t j = 0; j < kOctet; ++j) {
        const PartFloats g = magnitude(codes, h, r, j);
        const PartFloats term = simd::part_of(wx_[2 * j + h], r) * g;
        dot += term;
        norm += simd::part_of(octets_.w[2 * j + h], r) * (g * g);
        if constexpr (Type::kEvenSigns) smallest = min(term, smallest);
      }
      if constexpr (Type::kEvenSigns) dot -= simd::part_of(odd_[h], r) * 2.0f * smallest;
      simd::set_part(codes.dot[h], r, dot);
      simd::set_part(codes.norm[h], r, norm);
    }
  }
}

template <typename Type>
OctetValues Measure<Type>::with_signs(const OctetCodes<Type>& codes) const noexcept {
  OctetValues out;
  for (std::size_t h = 0; h < kHalves; ++h) {
    for (std::size_t r = 0; r < Floats::kParts; ++r) {
      std::array<PartFloats, kOctet> g;
      PartFloats smallest = 0x1p100f;
      PartInts cheapest = 0;
      PartInts signs = 0;
      for (std::size_t j = 0; j < kOctet; ++j) {
        const std::int32_t bit = 1 << j;
        g[j] = magnitude(codes, h, r, j);
        signs = add_where(simd::part_of(octets_.x[2 * j + h], r) < 0, signs, bit);
        if constexpr (Type::kEvenSigns) {
          const PartFloats term = simd::part_of(wx_[2 * j + h], r) * g[j];
          cheapest = select(term < smallest, PartInts(bit), cheapest);
          smallest = min(term, smallest);
        }
      }
      if constexpr (Type::kEvenSigns) {
        signs ^= select(simd::part_of(odd_[h], r) > 0, cheapest, PartInts(0));
      }
      for (std::size_t j = 0; j < kOctet; ++j) {
        const auto minus = (signs & (1 << j)) > 0;
        simd::set_part(out.y[2 * j + h], r, select(minus, -g[j], g[j]));
      }
      simd::set_part(out.signs[h], r, signs);
    }
  }
  return out;
}

/// A whole super-block decided, but for d.
template <typename Type>
struct Solution {
  Floats multiple;  ///< of the sub-block's scale, in all of its lanes: odd, 1 to 31
  OctetCodes<Type> codes;
  float dot = 0;  ///< sum of w * |x| * y, y being the decoded value for d = 1
  float norm = 0;
};

/// The block on disk, with the first of these d that makes it better than zeros; else zeros. A
/// sub-block's scale is Type::kUnit * d times its multiple.
template <typename Type>
Type make_block(const Octets& octets, const Measure<Type>& measure, const Solution<Type>& solution,
                const std::array<std::uint16_t, 2>& wanted) noexcept {
  const OctetValues values = measure.with_signs(solution.codes);
  const Floats scale = solution.multiple * Type::kUnit;
  Type block{};
  block.d = first_better_than_zeros(wanted, octets.exponent[0], [&](auto& gain) noexcept {
    for (std::size_t row = 0; row < octets.x.size(); ++row) {
      gain.add(octets.x[row], octets.q[row], scale * values.y[row]);
    }
  });
  if (block.d == 0) return block;
  constexpr std::size_t kInSubBlock = Type::kSubBlock / kOctet;
  for (std::size_t octet = 0; octet < kOctets; ++octet) {
    const std::size_t lane =
        lane_of_octet<Type::kSubBlock>(octet / kInSubBlock, octet % kInSubBlock);
    const auto of_octet = [lane](const OctetInts& numbers) noexcept {
      return static_cast<unsigned>(numbers[lane / Ints::kLanes][lane % Ints::kLanes]);
    };
    std::array<unsigned, Format<Type>::kEntries> entries;
    for (std::size_t n = 0; n < entries.size(); ++n) {
      entries[n] = Format<Type>::number(of_octet(solution.codes.entry[n]));
    }
    block.set_octet(octet, entries, of_octet(values.signs));
  }
  for (std::size_t b = 0; b < 256 / Type::kSubBlock; ++b) {
    block.set_scale(b, static_cast<unsigned>(static_cast<int>(solution.multiple[b])) / 2);
  }
  return block;
}

}  // namespace sluice::inline SLUICE_ISA::magnitudes
