#pragma once

// Levels fitted to values and weights that lie in rows, a lane a sub-block: at a scale each value takes
// the nearest, and what that comes to is summed up.

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/i_quants/levels.h"
#include "codec/weighting.h"
#include "simd/byte_levels.h"
#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// The levels nearest to some registers of values at once, in units of its own.
template <typename Type>
struct NearestTogether {
  static constexpr std::size_t kTogether = 1;
  static constexpr float kValueUnit = 1;
  static constexpr float kLevelUnit = 1;

  using Values = simd::Part<float>[kTogether];
  using Codes = simd::Part<std::int32_t>;

  /// kBounded: values are below 512 in magnitude.
  template <bool kBounded>
  static SLUICE_INLINE void nearest(const Values& values, Values& levels) noexcept {
    levels[0] = NearestLevel<Type>::nearest(values[0]);
  }
  static SLUICE_INLINE Codes codes(const Values& values) noexcept {
    return NearestLevel<Type>::codes(values[0]);
  }
  static SLUICE_INLINE void levels(const Codes& codes, Values& levels) noexcept {
    levels[0] = NearestLevel<Type>::levels(codes);
  }
  /// Registers are `stride` bytes apart.
  static SLUICE_INLINE void store(const Codes& codes, std::uint8_t* to, std::size_t) noexcept {
    simd::store_bytes(to, codes);
  }
};

#ifdef SLUICE_BYTE_LEVELS
template <typename Type>
requires(
    Type::kLevels.size() >= 8 && Type::kLevels.size() <= 32 &&
    simd::ByteLevels<Type::kLevels.size()>::suits(Type::kLevels)) struct NearestTogether<Type> {
  using Search = simd::ByteLevels<Type::kLevels.size()>;
  static constexpr Search kSearch{Type::kLevels};
  static constexpr std::size_t kTogether = Search::kTogether;
  static constexpr float kValueUnit = Search::kValueUnit;
  static constexpr float kLevelUnit = Search::kLevelUnit;

  using Values = typename Search::Values;
  using Codes = typename Search::Codes;

  template <bool kBounded>
  static SLUICE_INLINE void nearest(const Values& values, Values& levels) noexcept {
    kSearch.levels(kSearch.template codes<kBounded>(values), levels);
  }
  static SLUICE_INLINE Codes codes(const Values& values) noexcept {
    return kSearch.template codes<false>(values);
  }
  static SLUICE_INLINE void levels(const Codes& codes, Values& levels) noexcept {
    kSearch.levels(codes, levels);
  }
  static SLUICE_INLINE void store(const Codes& codes, std::uint8_t* to,
                                  std::size_t stride) noexcept {
    Search::store(codes, to, stride);
  }
};
#endif

/// What decides the best scale for given codes: with y the level nearest to x * inverse_scale,
/// xy = sum w x y and yy = sum w y y. At scale s the error is that of coding zeros plus
/// s * s * yy - 2 * s * xy; the least-squares scale is xy / yy.
struct LevelFit {
  simd::Floats xy;
  simd::Floats yy;
};

/// Values and weights, [position].
template <typename Type, std::size_t kSize>
class LevelRows {
 public:
  using Floats = simd::Floats;
  using Rows = std::array<Floats, kSize>;

  /// Both stay where they are.
  LevelRows(const Rows& x, const Rows& w) noexcept : x_(x), w_(w) {
    if constexpr (kScaled) {
      for (std::size_t j = 0; j < kSize; ++j) {
        scaled_x_[j] = x[j] * Search::kValueUnit;
        scaled_w_[j] = w[j] * (1 / Search::kLevelUnit);
      }
    }
  }

  const Rows& x() const noexcept { return x_; }

  /// `shift`: what all levels of a lane are moved up by. kBounded: no value is 512 or more in units of levels.
  template <bool kShifted, bool kBounded>
  LevelFit fit(const Floats& inverse_scale, const Floats& shift = 0) const noexcept;

  /// The codes of all weights, [position][lane], at scale 1 / inverse_scale, and what they gain with
  /// importance q where a block's scale is 1 and its lanes' are these multiples of it.
  template <typename Gain>
  void find_codes(const Floats& inverse_scale, const Floats& shift, const Floats& multiple,
                  const Rows& q, std::uint8_t* codes, Gain& gain) const noexcept;

 private:
  using Search = NearestTogether<Type>;
  using Part = simd::Part<float>;
  static constexpr std::size_t kTogether = Search::kTogether;
  static constexpr bool kScaled = kTogether > 1;

  /// In units of the search.
  const Rows& scaled_x() const noexcept {
    if constexpr (kScaled) {
      return scaled_x_;
    } else {
      return x_;
    }
  }
  /// What times a level in units of the search is weight times level.
  const Rows& scaled_w() const noexcept {
    if constexpr (kScaled) {
      return scaled_w_;
    } else {
      return w_;
    }
  }

  const Rows& x_;
  const Rows& w_;
  std::array<Floats, kScaled ? kSize : 0> scaled_x_;
  std::array<Floats, kScaled ? kSize : 0> scaled_w_;
};

// Not unrolled as a whole: g++ then keeps more levels at once than there are registers.
template <typename Type, std::size_t kSize>
template <bool kShifted, bool kBounded>
LevelFit LevelRows<Type, kSize>::fit(const Floats& inverse_scale,
                                     const Floats& shift) const noexcept {
  constexpr std::size_t kUnrolled = 8;
  LevelFit fit;
  for (std::size_t r = 0; r < Floats::kParts; ++r) {
    const Part inverse = part_of(inverse_scale, r);
    const Part up = part_of(shift, r);
    Part xy = 0;
    Part yy = 0;
#pragma GCC unroll 1
    for (std::size_t start = 0; start < kSize; start += kUnrolled) {
#pragma GCC unroll 8
      for (std::size_t j = start; j < start + kUnrolled; j += kTogether) {
        Part value[kTogether];
        Part level[kTogether];
        for (std::size_t k = 0; k < kTogether; ++k) {
          value[k] = part_of(scaled_x()[j + k], r) * inverse;
          if constexpr (kShifted) value[k] -= up * Search::kValueUnit;
        }
        Search::template nearest<kBounded>(value, level);
        for (std::size_t k = 0; k < kTogether; ++k) {
          if constexpr (kShifted) level[k] += up * Search::kLevelUnit;
          const Part wy = part_of(scaled_w()[j + k], r) * level[k];
          xy += wy * part_of(x_[j + k], r);
          yy += wy * level[k];
        }
      }
    }
    set_part(fit.xy, r, xy);
    set_part(fit.yy, r, yy * (1 / Search::kLevelUnit));
  }
  return fit;
}

template <typename Type, std::size_t kSize>
template <typename Gain>
void LevelRows<Type, kSize>::find_codes(const Floats& inverse_scale, const Floats& shift,
                                        const Floats& multiple, const Rows& q, std::uint8_t* codes,
                                        Gain& gain) const noexcept {
  for (std::size_t j = 0; j < kSize; j += kTogether) {
    Floats level[kTogether];
    for (std::size_t r = 0; r < Floats::kParts; ++r) {
      const Part up = part_of(shift, r);
      Part values[kTogether];
      for (std::size_t k = 0; k < kTogether; ++k) {
        values[k] =
            part_of(scaled_x()[j + k], r) * part_of(inverse_scale, r) - up * Search::kValueUnit;
      }
      const auto found = Search::codes(values);
      Search::store(found, codes + j * Floats::kLanes + r * Part::kLanes, Floats::kLanes);
      Search::levels(found, values);
      for (std::size_t k = 0; k < kTogether; ++k) {
        set_part(level[k], r, values[k] * (1 / Search::kLevelUnit) + up);
      }
    }
    for (std::size_t k = 0; k < kTogether; ++k) gain.add(x_[j + k], q[j + k], multiple * level[k]);
  }
}

}  // namespace sluice::inline SLUICE_ISA
