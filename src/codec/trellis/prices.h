#pragma once

// What a sub-block would cost at several multiples of its row's scale, of one look at the cells that are near to
// its groups at a foretold one.
//
// At scale s a vector takes 2 s A - s^2 B off a group's error, where A = sum w x c and B = sum w c^2: two sums
// of products of bytes serve all multiples. In 16 bits, A and B of two cells are a register each, and a
// multiple costs a multiplication, a subtraction and a maximum for 32 vectors.

#include <cstddef>
#include <cstdint>

#include "codec/i_quants/levels.h"
#include "codec/trellis/search.h"
#include "codec/trellis/tile.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

/// The magnitudes of IQ4_NL's levels: of those that are not negative, and of the others, growing.
struct TrellisLevels {
  static constexpr std::size_t kOfASign = kIq4Levels.size() / 2;
  float of[2 * kOfASign];
  constexpr TrellisLevels() noexcept : of() {
    for (std::size_t i = 0; i < kOfASign; ++i) {
      of[i] = kIq4Levels[kOfASign + i];
      of[kOfASign + i] = -kIq4Levels[kOfASign - 1 - i];
    }
  }
};
inline constexpr TrellisLevels kTrellisLevels;

/// The multiples that are tried for the sub-blocks of 16 lanes: of either sign four in succession, of which
/// the foretold one is about the second.
struct TrellisMultiples {
  using Floats = simd::Floats;
  static constexpr std::size_t kOfASign = 4;

  Floats code[2][kOfASign];  ///< the levels' numbers, as floats; those of positive levels first
  Floats magnitude[2][kOfASign];  ///< the levels'

  /// \param foretold  positive
  explicit TrellisMultiples(const Floats& foretold) noexcept {
    constexpr float kLeast = 0.65f;
    constexpr std::size_t kHalf = TrellisLevels::kOfASign;
    const Floats least = foretold * kLeast;
    for (std::size_t sign = 0; sign < 2; ++sign) {
      Floats first = 0;
      for (std::size_t i = 0; i + kOfASign < kHalf; ++i) {
        first += select(least > kTrellisLevels.of[kHalf * sign + i], Floats(1), Floats(0));
      }
      for (std::size_t i = 0; i < kOfASign; ++i) {
        const Floats place = first + static_cast<float>(i);
        code[sign][i] = sign == 0 ? place + float{kHalf} : float{kHalf - 1} - place;
        magnitude[sign][i] =
            look_up(kTrellisLevels.of, to_ints(place + static_cast<float>(kHalf * sign)));
      }
    }
  }
};

template <TrellisCodebook kBook>
class TrellisPrices {
 public:
  static constexpr std::size_t kGroup = kBook.group;
  using Floats = simd::Floats;
  using Ints = simd::Ints;
  using Shorts = simd::Shorts;
  using Tile = TrellisTile<kGroup>;
  using Query = TrellisQuery<kGroup>;

  TrellisPrices(const Tile& tile, const TrellisMultiples& multiples, float row_scale) noexcept
      : multiples_(multiples) {
    Floats most_linear = 0x1p-100f;
    Floats most_weight = 0x1p-100f;
    for (std::size_t j = 0; j < kGroup; ++j) {
      most_linear = max(most_linear, abs(tile.x[j] * tile.w[j]));
      most_weight = max(most_weight, tile.w[j]);
    }
    const Floats most_scale =
        max(multiples.magnitude[0][kOfASign - 1], multiples.magnitude[1][kOfASign - 1]) * row_scale;
    const Floats square_unit = Floats(kMostSquare) / most_weight;
    // A factor below one is as many 32768ths.
    const Floats linear_unit =
        min(Floats(kMostLinear) / most_linear, square_unit / (most_scale * (kPerFactor * 1.001f)));
    Floats sum = 0;
    for (std::size_t k = 0; k < Query::kWords; ++k) {
      Ints linear = 0;
      Ints opposite = 0;
      Ints square = 0;
      for (std::size_t j = 4; j-- > 0;) {
        const std::size_t at = 4 * k + j;
        const Floats byte = round(tile.x[at] * tile.w[at] * linear_unit);
        sum += byte;
        linear = append_byte(linear, byte);
        opposite = append_byte(opposite, -byte);
        square = append_byte(square, tile.w[at] * square_unit);
      }
      linear.store(linear_[0][k]);
      opposite.store(linear_[1][k]);
      square.store(square_[k]);
    }
    const Ints offset = to_ints(sum * (trellis_bytes::kMiddle / trellis_bytes::kStep));
    offset.store(offset_[1]);
    (-offset).store(offset_[0]);
    const Floats per_scale = linear_unit / square_unit * (kPerFactor * 32768);
    for (std::size_t sign = 0; sign < 2; ++sign) {
      for (std::size_t i = 0; i < kOfASign; ++i) {
        const Floats scale = multiples.magnitude[sign][i] * row_scale;
        to_ints(scale * per_scale).store(factor_[sign][i]);
        unit_[sign][i] = scale / linear_unit * (-2.0f * kLinearUnit);
      }
    }
  }

  /// Looks at the cells that a group is near to at the positive scales, or at the negative ones.
  /// A function of its own, whose numbers all fit into registers.
  /// \tparam Cells  TrellisCells, or what has cells like it
  /// \param near    the cells
  /// \param count   how many they are, an even number
  template <typename Cells>
  [[gnu::noinline]] void look_at(const Cells& cells, std::size_t lane, std::size_t sign,
                                 const std::uint16_t* near, std::size_t count) noexcept {
    Query query;
    for (std::size_t k = 0; k < Query::kWords; ++k) {
      query.linear[k] = linear_[sign][k][lane];
      query.square[k] = square_[k][lane];
    }
    const Ints offset(offset_[sign][lane]);
    Shorts best[kOfASign];
    Shorts factor[kOfASign];
    for (std::size_t i = 0; i < kOfASign; ++i) {
      best[i] = Shorts(INT16_MIN);
      factor[i] = Shorts(static_cast<std::int16_t>(factor_[sign][i][lane]));
    }
    for (const std::uint16_t* number = near; number < near + count; number += 2) {
      const auto& one = cells.cell(number[0]);
      const auto& other = cells.cell(number[1]);
      const Shorts xy =
          simd::pack_saturated(query.linear_part(one, offset), query.linear_part(other, offset));
      const Shorts yy = simd::pack_saturated(query.square_part(one), query.square_part(other));
      for (std::size_t i = 0; i < kOfASign; ++i) {
        best[i] = max(best[i], xy - multiply_fractions(yy, factor[i]));
      }
    }
    best_[sign].set(lane, best);
  }

  /// After all groups have been looked at: what sub-blocks cost, in each of their lanes, less what zeros do.
  void add_up() noexcept {
    for (std::size_t sign = 0; sign < 2; ++sign) {
      Floats best[kOfASign];
      best_[sign].get(best);
      for (std::size_t i = 0; i < kOfASign; ++i) {
        price_[sign][i] = Tile::sum_of_block(best[i] * unit_[sign][i]);
      }
    }
  }

  /// Of sub-blocks, in each of their lanes.
  struct Cheapest {
    Floats price;
    Floats code;  ///< the level's number
    Floats multiple;
  };
  /// The multiples with the least prices, which are then the highest.
  Cheapest take_cheapest() noexcept {
    Cheapest cheapest = {price_[0][0], multiples_.code[0][0], multiples_.magnitude[0][0]};
    for (std::size_t sign = 0; sign < 2; ++sign) {
      for (std::size_t i = 0; i < kOfASign; ++i) {
        const simd::FloatMask better = price_[sign][i] < cheapest.price;
        cheapest.price = select(better, price_[sign][i], cheapest.price);
        cheapest.code = select(better, multiples_.code[sign][i], cheapest.code);
        const Floats& magnitude = multiples_.magnitude[sign][i];
        cheapest.multiple = select(better, sign == 0 ? magnitude : -magnitude, cheapest.multiple);
      }
    }
    for (std::size_t sign = 0; sign < 2; ++sign) {
      for (std::size_t i = 0; i < kOfASign; ++i) {
        price_[sign][i] =
            select(multiples_.code[sign][i] != cheapest.code, price_[sign][i], 0x1p100f);
      }
    }
    return cheapest;
  }

 private:
  static constexpr std::size_t kOfASign = TrellisMultiples::kOfASign;
  static constexpr float kMostLinear = 127;
  /// Of weights; sums of products with squares that are four times as large as usual fit into 15 bits.
  static constexpr float kMostSquare = 48;
  static constexpr float kLinearUnit = trellis_bytes::kStep;  ///< of A in 16 bits
  /// A - s B / 2 in units of A in 16 bits: a factor of B is this times s.
  static constexpr float kPerFactor = 0.5f * trellis_bytes::kSquareUnit / kLinearUnit;

  const TrellisMultiples& multiples_;
  std::int32_t linear_[2][Query::kWords]
                      [16];  ///< bytes: w x, for positive scales and for negative ones
  std::int32_t square_[Query::kWords][16];  ///< bytes: w
  std::int32_t offset_[2][16];              ///< what takes the middle out of sums with linear_
  std::int32_t factor_[2][kOfASign][16];
  simd::MostOfFour best_[2];  ///< of multiples
  Floats unit_[2][kOfASign];  ///< of best_ as a price
  Floats price_[2][kOfASign];
};

}  // namespace sluice::inline SLUICE_ISA
