#pragma once

// Types that give each weight a code of its own, the number of one of a few levels: IQ4_NL, IQ4_XS,
// and IQ2_K to IQ6_K, whose sub-blocks choose between the levels and the same levels moved up.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/float16.h"
#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// Floats, because levels are only ever multiplied by a float scale.
template <std::size_t kCount>
using Levels = std::array<float, kCount>;

/// IQ4_NL, IQ4_XS and IQ4_K.
inline constexpr Levels<16> kIq4Levels = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};

/// The border between levels k and k + 1. A value on the border belongs to the upper level.
template <std::size_t kCount>
constexpr float level_border(const Levels<kCount>& levels, std::size_t k) noexcept {
  return (levels[k] + levels[k + 1]) * 0.5f;
}

/// The code of the level nearest to `value`: how many borders it has reached.
template <std::size_t kCount>
constexpr unsigned nearest_code(const Levels<kCount>& levels, float value) noexcept {
  unsigned code = 0;
  for (std::size_t k = 0; k + 1 < kCount; ++k) code += value >= level_border(levels, k) ? 1 : 0;
  return code;
}

/// The range of levels cut into cells that have few borders each: a value's cell is found by one
/// addition, and comparisons with the cell's borders are left to be made.
template <std::size_t kCount, std::size_t kCells>
struct LevelCells {
  static constexpr float kWidth = 8;
  static constexpr std::size_t kHalf = kCells / 2;
  static constexpr float kLowest = -kWidth * static_cast<float>(kHalf);
  static constexpr float kHighest = kWidth * static_cast<float>(kHalf - 1);
  /// Adding it leaves the number of the cell, a multiple of the width, in the lowest bits.
  static constexpr float kRounder = 0x1.8p23f * kWidth;
  static constexpr std::size_t kMost = kCount <= 16 ? 1 : kCount / 32 + 1;  ///< borders in a cell

  float border[kMost][kCells];  ///< out of reach where there is none
  std::int32_t code[kCells];    ///< below the borders
  bool good = true;             ///< no cell has more borders, and none is beyond the cells

  static constexpr std::size_t cell(float value) noexcept {
    return std::bit_cast<std::uint32_t>(value + kRounder) & (kCells - 1);
  }

  explicit constexpr LevelCells(const Levels<kCount>& levels) noexcept : border(), code() {
    std::int32_t below = 0;
    for (std::size_t i = 0; i < kCells; ++i) {
      const std::size_t c = cell(kLowest + kWidth * static_cast<float>(i));
      for (auto& of_cell : border) of_cell[c] = std::numeric_limits<float>::infinity();
      code[c] = below;
      std::size_t in_cell = 0;
      for (std::size_t k = 0; k + 1 < kCount; ++k) {
        if (cell(level_border(levels, k)) != c) continue;
        good = good && in_cell < kMost;
        if (good) border[in_cell++][c] = level_border(levels, k);
        ++below;
      }
    }
    good = good && below + 1 == static_cast<std::int32_t>(kCount) &&
           level_border(levels, 0) > kLowest && level_border(levels, kCount - 2) < kHighest;
  }
};

/// The search among Type::kLevels, part by part.
template <typename Type>
class NearestLevel {
 public:
  using Floats = simd::Part<float>;
  using Ints = simd::Part<std::int32_t>;

  /// The codes of the levels nearest to `values`; 0 for NaN.
  static SLUICE_INLINE Ints codes(const Floats& values) noexcept {
    if constexpr (kCalculates) {
      const auto around = Type::Calculated::around(values);
      return next_where(around.nearer_upper, to_ints(around.code));
    } else if constexpr (kCounts) {
      return count_borders(values);
    } else if constexpr (kHalves) {
      return halve(values);
    } else {
      return look_up_cells(values);
    }
  }

  /// The levels of these codes.
  static SLUICE_INLINE Floats levels(const Ints& codes) noexcept {
    if constexpr (kCalculates) return Type::Calculated::level(to_floats(codes));
    return simd::look_up(kTable.level, codes);
  }

  /// levels(codes(values))
  static SLUICE_INLINE Floats nearest(const Floats& values) noexcept {
    if constexpr (kCalculates) {
      const auto around = Type::Calculated::around(values);
      return select(around.nearer_upper, around.upper, around.lower);
    }
    if constexpr (!kCounts) return levels(codes(values));
    // Levels are small integers: adding up the steps below the value is exact.
    Floats level = kLevels[0];
    for (std::size_t k = 0; k + 1 < kCount; ++k) {
      const auto above = values >= border(k);
      if constexpr (kSelects) {
        level = select(above, kLevels[k + 1], level);
      } else {
        level = add_where(above, level, kLevels[k + 1] - kLevels[k]);
      }
    }
    return level;
  }

 private:
  static constexpr const auto& kLevels = Type::kLevels;
  static constexpr std::size_t kCount = kLevels.size();
  static constexpr float border(std::size_t k) noexcept { return level_border(kLevels, k); }

  // Which way is short depends on the tables that an instruction looks up.
  static constexpr std::size_t kLookUpFloats = simd::Machine::kLookUpFloats;
  static constexpr std::size_t kMostCounted = kLookUpFloats == 0 ? 16 : kLookUpFloats < 16 ? 1 : 4;
  static constexpr bool kCounts = kCount <= kMostCounted;
  /// NEON selects by one instruction, and takes two to add where a mask holds; AVX-512 takes one.
  static constexpr bool kSelects = kLookUpFloats == 16;
  static constexpr bool kHalves = kLookUpFloats != 0 && kLookUpFloats < 32;
  /// Where levels are a function of the code, for which tables would take many instructions.
  static constexpr bool kCalculates = kHalves && requires { typename Type::Calculated; };

  /// Levels, repeated to fill a register.
  struct Table {
    float level[kCount < Floats::kLanes ? Floats::kLanes : kCount];
  };
  static constexpr Table kTable = [] {
    Table table{};
    std::size_t i = 0;
    for (float& level : table.level) level = kLevels[i++ % kCount];
    return table;
  }();

  static SLUICE_INLINE Ints count_borders(const Floats& values) noexcept {
    Ints code = 0;
    for (std::size_t k = 0; k + 1 < kCount; ++k) code = next_where(values >= border(k), code);
    return code;
  }

  /// Halves the range of codes by one comparison after the other.
  template <std::size_t kRange = 2>
  static SLUICE_INLINE Ints halve(const Floats& values) noexcept {
    // The borders in the middle of ranges of kRange codes.
    struct Borders {
      float border[kCount / kRange < Floats::kLanes ? Floats::kLanes : kCount / kRange];
    };
    static constexpr Borders kMiddle = [] {
      Borders middle{};
      for (std::size_t i = 0; i < kCount / kRange; ++i) {
        middle.border[i] = border(kRange * i + kRange / 2 - 1);
      }
      return middle;
    }();
    if constexpr (kRange == kCount) {
      return next_where(values >= kMiddle.border[0], 0);
    } else {
      const Ints code = halve<2 * kRange>(values);
      return next_where(values >= simd::look_up(kMiddle.border, code), code + code);
    }
  }

  static SLUICE_INLINE Ints look_up_cells(const Floats& values) noexcept {
    // Cells for as many numbers as a byte has where the levels need them.
    constexpr bool kFew = kCount < 16 && border(0) > -4.0f * (2 * kCount - 1);
    using Cells = LevelCells<kCount, kFew ? 2 * kCount : 32>;
    static constexpr Cells kCells(kLevels);
    static_assert(kCells.good);
    const Floats near = min(max(values, Cells::kLowest), Cells::kHighest);  // NaN: kLowest
    const Ints cell = simd::bits_of<Ints>(near + Cells::kRounder);
    Ints code = simd::look_up(kCells.code, cell);
    for (std::size_t i = 0; i < Cells::kMost; ++i) {
      code = next_where(near >= simd::look_up(kCells.border[i], cell), code);
    }
    return code;
  }

  /// One more where the mask holds. (Where a mask is an integer, it is -1.)
  static SLUICE_INLINE Ints next_where(const simd::Mask<float, Floats::kLanes>& mask,
                                       const Ints& code) noexcept {
    return subtract_where(mask, code, -1);
  }
};

/// Decodes a super-block of sub-blocks of as many weights, each of which has a scale:
/// value = d * scale * (level + shift where the sub-block is shifted).
template <typename Block>
void decode_shifted_levels(const Block& block, float d, float* out) noexcept {
  constexpr unsigned kWidth = Block::kWeights / Block::kSubBlocks;
  static constexpr auto kTables = [] {
    std::array tables{Block::kLevels, Block::kLevels};
    for (float& level : tables[1]) level += Block::kShift;
    return tables;
  }();
  for (unsigned b = 0; b < Block::kSubBlocks; ++b) {
    const float scale = d * static_cast<float>(block.scale(b));
    const auto& levels = kTables[block.shifted(b) ? 1 : 0];
    for (unsigned j = 0; j < kWidth; ++j) *out++ = scale * levels[block.code(b, j)];
  }
}

}  // namespace sluice::inline SLUICE_ISA
