#pragma once

// The nearest of a few levels, for one value and for lanes of weighted values.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "codec/lattice/lanes.h"
#include "codec/lattice/levels.h"

namespace sluice::inline SLUICE_ISA {

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

#if defined(__AVX512F__)

/// For the masked forms of intrinsics: g++ 12 warns of the plain ones' undefined operands.
inline constexpr std::uint16_t kAll = 0xffff;

/// The range of levels cut into cells so narrow that none has two borders: a value's cell is found
/// by one addition, and one comparison with the cell's border is left to be made.
template <std::size_t kCount>
struct LevelCells {
  static constexpr std::size_t kCells = 2 * kCount;
  static constexpr float kWidth = 8;
  static constexpr float kLowest = -kWidth * (kCells / 2);
  static constexpr float kHighest = kWidth * (kCells / 2 - 1);
  /// Adding it leaves the number of the cell, a multiple of the width, in the lowest bits.
  static constexpr float kRounder = 0x1.8p23f * kWidth;

  std::array<float, kCells> border{};       ///< out of reach if there is none in the cell
  std::array<std::int32_t, kCells> code{};  ///< below the border
  bool good = true;  ///< no cell has two borders, and none is beyond the cells

  static constexpr std::size_t cell(float value) noexcept {
    return std::bit_cast<std::uint32_t>(value + kRounder) & (kCells - 1);
  }

  explicit constexpr LevelCells(const Levels<kCount>& levels) noexcept {
    border.fill(std::numeric_limits<float>::infinity());
    std::int32_t below = 0;
    for (std::size_t i = 0; i < kCells; ++i) {
      const std::size_t c = cell(kLowest + kWidth * static_cast<float>(i));
      code[c] = below;
      for (std::size_t k = 0; k + 1 < kCount; ++k) {
        if (cell(level_border(levels, k)) != c) continue;
        good = good && border[c] == std::numeric_limits<float>::infinity();
        border[c] = level_border(levels, k);
        ++below;
      }
    }
    good = good && below + 1 == static_cast<std::int32_t>(kCount) &&
           level_border(levels, 0) > kLowest && level_border(levels, kCount - 2) < kHighest;
  }
};

#endif

/// The search among levels at a register's width.
template <const auto& kLevels>
struct NearestLevel {
  static constexpr std::size_t kCount = kLevels.size();
  static constexpr float border(std::size_t k) noexcept { return level_border(kLevels, k); }

  /// The codes of the levels nearest to `values`; 0 for NaN.
  static IntRegister codes(FloatRegister values) noexcept;
  /// The levels of these codes.
  static FloatRegister levels(IntRegister codes) noexcept;
  /// levels(codes(values))
  static FloatRegister nearest(FloatRegister values) noexcept;
};

#if defined(__AVX512F__)

template <const auto& kLevels>
inline IntRegister NearestLevel<kLevels>::codes(FloatRegister values) noexcept {
  if constexpr (kCount == 4) {
    IntRegister code{};
    for (std::size_t k = 0; k < 3; ++k) code -= values >= border(k);
    return code;
  } else {
    using Cells = LevelCells<kCount>;
    static constexpr Cells kCells(kLevels);
    static_assert(kCells.good);
    const __m512 above =
        _mm512_maskz_max_ps(kAll, values, _mm512_set1_ps(Cells::kLowest));  // NaN: kLowest
    const __m512 near = _mm512_maskz_min_ps(kAll, above, _mm512_set1_ps(Cells::kHighest));
    const __m512i cell = _mm512_castps_si512(_mm512_add_ps(near, _mm512_set1_ps(Cells::kRounder)));
    __m512 borders;
    __m512i code;
    if constexpr (Cells::kCells == 16) {
      borders = _mm512_maskz_permutexvar_ps(kAll, cell, _mm512_loadu_ps(kCells.border.data()));
      code = _mm512_maskz_permutexvar_epi32(kAll, cell, _mm512_loadu_si512(kCells.code.data()));
    } else {
      static_assert(Cells::kCells == 32);
      borders = _mm512_permutex2var_ps(_mm512_loadu_ps(kCells.border.data()), cell,
                                       _mm512_loadu_ps(kCells.border.data() + 16));
      code = _mm512_permutex2var_epi32(_mm512_loadu_si512(kCells.code.data()), cell,
                                       _mm512_loadu_si512(kCells.code.data() + 16));
    }
    const __mmask16 reached = _mm512_cmp_ps_mask(near, borders, _CMP_GE_OQ);
    return reinterpret_cast<IntRegister>(
        _mm512_mask_add_epi32(code, reached, code, _mm512_set1_epi32(1)));
  }
}

template <const auto& kLevels>
inline FloatRegister NearestLevel<kLevels>::levels(IntRegister codes) noexcept {
  static constexpr auto kSixteen = [] {
    std::array<float, 16> sixteen{};
    for (std::size_t i = 0; i < 16; ++i) sixteen[i] = kLevels[i % kCount];
    return sixteen;
  }();
  return _mm512_maskz_permutexvar_ps(kAll, reinterpret_cast<__m512i>(codes),
                                     _mm512_loadu_ps(kSixteen.data()));
}

template <const auto& kLevels>
inline FloatRegister NearestLevel<kLevels>::nearest(FloatRegister values) noexcept {
  if constexpr (kCount == 4) {
    __m512 level = _mm512_set1_ps(kLevels[0]);
    for (std::size_t k = 0; k < 3; ++k) {
      const __mmask16 reached = _mm512_cmp_ps_mask(values, _mm512_set1_ps(border(k)), _CMP_GE_OQ);
      level = _mm512_mask_mov_ps(level, reached, _mm512_set1_ps(kLevels[k + 1]));
    }
    return level;
  } else {
    return levels(codes(values));
  }
}

#elif defined(__AVX2__)

// Halving the range of codes by one comparison after the other. The borders to compare with next
// are permuted into their lanes.

template <const auto& kLevels>
inline IntRegister NearestLevel<kLevels>::codes(FloatRegister values) noexcept {
  // [8 * step + i]: the border in the middle of the range that is known after `step` comparisons.
  static constexpr auto kBorders = [] {
    std::array<float, 32> borders{};
    std::size_t step = 0;
    for (std::size_t range = kCount; range > 1; range /= 2, ++step) {
      for (std::size_t i = 0; i < kCount / range; ++i) {
        borders[8 * step + i] = border(range * i + range / 2 - 1);
      }
    }
    return borders;
  }();
  IntRegister code = values >= kBorders[0];
  code = -code;
  for (std::size_t step = 1; (std::size_t{2} << step) <= kCount; ++step) {
    const __m256 middle = _mm256_permutevar8x32_ps(_mm256_loadu_ps(&kBorders[8 * step]),
                                                   reinterpret_cast<__m256i>(code));
    const IntRegister reached = values >= reinterpret_cast<FloatRegister>(middle);
    code = code + code - reached;
  }
  return code;
}

template <const auto& kLevels>
inline FloatRegister NearestLevel<kLevels>::levels(IntRegister codes) noexcept {
  static constexpr auto kSixteen = [] {
    std::array<float, 16> sixteen{};
    for (std::size_t i = 0; i < 16; ++i) sixteen[i] = kLevels[i % kCount];
    return sixteen;
  }();
  const __m256i index = reinterpret_cast<__m256i>(codes);
  const __m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(kSixteen.data()), index);
  if constexpr (kCount <= 8) {
    return low;
  } else {
    const __m256 high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(kSixteen.data() + 8), index);
    return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)));
  }
}

template <const auto& kLevels>
inline FloatRegister NearestLevel<kLevels>::nearest(FloatRegister values) noexcept {
  return levels(codes(values));
}

#else

template <const auto& kLevels>
inline IntRegister NearestLevel<kLevels>::codes(FloatRegister values) noexcept {
  IntRegister code{};
  for (std::size_t k = 0; k + 1 < kCount; ++k) code -= values >= border(k);
  return code;
}

template <const auto& kLevels>
inline FloatRegister NearestLevel<kLevels>::levels(IntRegister codes) noexcept {
  FloatRegister level;
  for (std::size_t i = 0; i < kRegisterLanes; ++i) {
    level[i] = kLevels[static_cast<std::size_t>(codes[i])];
  }
  return level;
}

template <const auto& kLevels>
inline FloatRegister NearestLevel<kLevels>::nearest(FloatRegister values) noexcept {
  // Levels are small integers: adding up the steps below the value is exact.
  FloatRegister level = FloatRegister{} + kLevels[0];
  for (std::size_t k = 0; k + 1 < kCount; ++k) {
    const FloatRegister step = FloatRegister{} + (kLevels[k + 1] - kLevels[k]);
    level += values >= border(k) ? step : FloatRegister{};
  }
  return level;
}

#endif

/// What decides the best scale for given codes: with y the level nearest to x * inverse_scale,
/// xy = sum w x y and yy = sum w y y. At scale s the error is that of coding zeros plus
/// s * s * yy - 2 * s * xy; the least-squares scale is xy / yy.
struct LevelFit {
  Lanes xy;
  Lanes yy;
};

/// `x` and `w`: values and weights, [position].
template <const auto& kLevels, std::size_t kSize>
LevelFit fit_levels(const std::array<Lanes, kSize>& x, const std::array<Lanes, kSize>& w,
                    const Lanes& inverse_scale) noexcept {
  LevelFit fit;
  for (std::size_t r = 0; r < kRegisters; ++r) {
    const FloatRegister inverse = inverse_scale.part[r];
    FloatRegister xy{};
    FloatRegister yy{};
    for (std::size_t j = 0; j < kSize; ++j) {
      const FloatRegister value = x[j].part[r];
      const FloatRegister level = NearestLevel<kLevels>::nearest(value * inverse);
      const FloatRegister wy = w[j].part[r] * level;
      xy += wy * value;
      yy += wy * level;
    }
    fit.xy.part[r] = xy;
    fit.yy.part[r] = yy;
  }
  return fit;
}

/// The same with all levels of a lane moved up by `shift`.
template <const auto& kLevels, std::size_t kSize>
LevelFit fit_levels(const std::array<Lanes, kSize>& x, const std::array<Lanes, kSize>& w,
                    const Lanes& inverse_scale, const Lanes& shift) noexcept {
  LevelFit fit;
  for (std::size_t r = 0; r < kRegisters; ++r) {
    const FloatRegister inverse = inverse_scale.part[r];
    const FloatRegister up = shift.part[r];
    FloatRegister xy{};
    FloatRegister yy{};
    for (std::size_t j = 0; j < kSize; ++j) {
      const FloatRegister value = x[j].part[r];
      const FloatRegister level = NearestLevel<kLevels>::nearest(value * inverse - up) + up;
      const FloatRegister wy = w[j].part[r] * level;
      xy += wy * value;
      yy += wy * level;
    }
    fit.xy.part[r] = xy;
    fit.yy.part[r] = yy;
  }
  return fit;
}

}  // namespace sluice::inline SLUICE_ISA
