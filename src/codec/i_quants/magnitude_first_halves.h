#pragma once

// Which first half of a codebook's entries is best with a given second half, for many octets at once,
// by costs of quarters in bytes: the least of all pairs of quarters that a table has.

#include <utility>

#include "codec/i_quants/magnitude_sets.h"
#include "simd/tables.h"
#include "simd/unsigned_bytes.h"

namespace sluice::inline SLUICE_ISA::magnitudes {

/// Which second quarters go with a first quarter: bits of a byte for each second half, by its place in
/// the order of the search.
template <typename Type, std::size_t kFirst>
inline constexpr simd::ByteTable<64> kSecondQuarters([](std::size_t place) {
  using Codebook = Sets<Type>;
  const std::size_t second = place < Codebook::kOrder.count ? Codebook::kOrder.second[place] : 0;
  return static_cast<std::uint8_t>(Codebook::kMaskOf[second][kFirst]);
});

/// The codes of the best first halves.
/// \param first, second  costs of quarters
/// \param place          of second halves, in the order of the search
template <typename Type>
class FirstHalves {
  using Codebook = Sets<Type>;
  using Byte = std::uint8_t;
  using Bytes = simd::UnsignedBytes;
  static constexpr std::size_t kQuarters = Codebook::kQuarters;
  using Quarters = std::array<Bytes, kQuarters>;

 public:
  SLUICE_INLINE FirstHalves(const Quarters& first, const Quarters& second) noexcept
      : first_(first) {
    static_assert(kQuarters == 8, "bits of a byte");
    for (std::size_t i = 0; i < kQuarters; ++i) second_[i] = min(second[i], kMost);
  }

  SLUICE_INLINE Bytes best(const Bytes& place) const noexcept {
    return of_quarters(place, std::make_index_sequence<kQuarters>());
  }

 private:
  /// What there is costs no more, even where costs are drawn in, and what there is not costs more.
  static constexpr Byte kMost = 254;
  static constexpr Byte kNone = 255;

  struct Best {
    Bytes cost = kNone;
    Bytes quarter = 0;
    Bytes seconds = 0;  ///< which go with it
  };

  template <std::size_t... I>
  SLUICE_INLINE Bytes of_quarters(const Bytes& place,
                                  std::index_sequence<I...> /*first quarters*/) const noexcept {
    Best best;
    (try_quarter(I, Bytes::of_pairs(kSecondQuarters<Type, I>.look_up(place.pairs())), best), ...);
    Bytes least = kNone;
    Bytes quarter = 0;
    for (std::size_t i = 0; i < kQuarters; ++i) {
      const auto better = less_where(any_bit(best.seconds, 1 << i), second_[i], least);
      least = select(better, second_[i], least);
      quarter = select(better, Bytes(static_cast<Byte>(i)), quarter);
    }
    return (best.quarter + quarter) & static_cast<Byte>(Codebook::kCodes - 1);
  }

  SLUICE_INLINE void try_quarter(std::size_t quarter, const Bytes& seconds,
                                 Best& best) const noexcept {
    Bytes least = kNone;
    for (std::size_t i = 0; i < kQuarters; ++i) {
      least = min_where(any_bit(seconds, 1 << i), least, second_[i]);
    }
    const Bytes cost = min(add_saturated(first_[quarter], least), kMost);
    const auto better = less_where(any_bit(seconds, 0xff), cost, best.cost);
    best.cost = select(better, cost, best.cost);
    best.seconds = select(better, seconds, best.seconds);
    best.quarter =
        select(better, Bytes(static_cast<Byte>(quarter * Codebook::kStep)), best.quarter);
  }

  const Quarters& first_;
  Quarters second_;
};

}  // namespace sluice::inline SLUICE_ISA::magnitudes
