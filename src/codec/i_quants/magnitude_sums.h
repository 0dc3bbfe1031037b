#pragma once

// What the parts of a codebook's entries cost, in all octets of a super-block at a scale: costs of
// levels (magnitude_costs.h) are summed by quarters of an entry, 9 or 8 each, then by second halves
// and by the sets of first halves that the codebook is made of (magnitude_sets.h).
//
// The low bits of a first half's cost say which one it is, so that a minimum of costs also is one of
// first halves. Second halves add nothing to them. Bytes have no room for that: they are costs alone.
//
// Where an odd number of minus signs must be made even, each part is summed a second time with its
// cheapest wrong sign: it is the one part's or the other's. Or the wrong sign is chosen beforehand,
// and entries are searched for what the values then are, at half of the cost.

#include <type_traits>
#include <utility>

#include "codec/i_quants/magnitude_costs.h"
#include "codec/i_quants/magnitude_sets.h"

namespace sluice::inline SLUICE_ISA::magnitudes {

template <typename Type, WrongSign kWrongSign>
class PartCosts : public LevelCosts<Type, kWrongSign> {
 public:
  using LevelCosts<Type, kWrongSign>::LevelCosts;

 protected:
  using Base = LevelCosts<Type, kWrongSign>;
  using typename Base::Byte;
  using typename Base::Int;
  using typename Base::Scaled;
  using typename Base::Short;
  template <typename T>
  using Part = typename Base::template Part<T>;
  template <typename T, std::size_t kCount>
  using Costs = typename Base::template Costs<T, kCount>;
  using Base::kBoth;
  using Codebook = Sets<Type>;
  static constexpr std::size_t kQuarters = Codebook::kQuarters;
  static_assert(kQuarters == 9 || kQuarters == 8);

  /// The bits of a cost that are a first half's code.
  static constexpr auto kCode = static_cast<Short>(Codebook::kCodes - 1);

  template <typename T>
  using QuarterCosts = Costs<T, kQuarters>;
  template <typename T>
  struct EntryCosts {
    Costs<T, Codebook::kCount> first;  ///< of sets of first halves, less kLess
    Costs<T, Codebook::kHalfCount> second;
    /// Of bytes, those of the first two, by which first halves are found.
    std::array<QuarterCosts<T>, std::is_same_v<T, Byte> ? 2 : 0> quarter;
  };

  /// Of the entry from position `first` on of the octets of part r, or of both entries.
  template <typename T>
  void sum_entry(std::size_t r, std::size_t first, const Scaled& scaled,
                 EntryCosts<T>& costs) const noexcept;

  static SLUICE_INLINE Part<Byte> sum(const Part<Byte>& a, const Part<Byte>& b) noexcept {
    return add_saturated(a, b);
  }
  static SLUICE_INLINE Part<Short> sum(const Part<Short>& a, const Part<Short>& b) noexcept {
    return add_saturated(a, b);
  }
  static SLUICE_INLINE Part<Int> sum(const Part<Int>& a, const Part<Int>& b) noexcept {
    return a + b;
  }

 private:
  using Base::kLevels;

  /// What costs of sets are less by, so that all bits count.
  template <typename T>
  static constexpr int kLess = std::is_same_v<T, Short> ? 32768 : 0;

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
    // Those of 16 bits begin at -kLess, and have room for two quarters.
    const auto sum_of = [](const Part<T>& a, const Part<T>& b) noexcept {
      return std::is_same_v<T, Byte> ? sum(a, b) : a + b;
    };
    ((out.right[I] = sum_of(first.right[kSet[I].quarter], least.right[kSet[I].mask])), ...);
    if constexpr (kBoth) {
      ((out.wrong[I] = min(sum_of(first.wrong[kSet[I].quarter], least.right[kSet[I].mask]),
                           sum_of(first.right[kSet[I].quarter], least.wrong[kSet[I].mask]))),
       ...);
    }
  }

  /// Says in the low bits which first half it is. A code is one too large, and comes right by the low
  /// bits of all second halves, which also those have that are drawn in.
  template <typename T>
  static SLUICE_INLINE void mark(std::array<QuarterCosts<T>, 4>& quarter) noexcept {
    const auto add = [](auto& parts, int start, int step) noexcept {
      for (Part<T>& part : parts) {
        part = part + static_cast<T>(start);
        start += step;
      }
    };
    constexpr auto kStep = static_cast<int>(Codebook::kStep);
    constexpr int kStart = 1 - kLess<T>;
    add(quarter[0].right, kStart, kStep);
    add(quarter[0].wrong, kStart, kStep);
    add(quarter[1].right, 0, 1);
    add(quarter[1].wrong, 0, 1);
    add(quarter[2].right, kCode, 0);
    add(quarter[2].wrong, kCode, 0);
  }

  template <typename T>
  QuarterCosts<T> quarter_costs(std::size_t r, std::size_t first,
                                const Scaled& scaled) const noexcept;
};

template <typename Type, WrongSign kWrongSign>
template <typename T>
SLUICE_INLINE auto PartCosts<Type, kWrongSign>::quarter_costs(std::size_t r, std::size_t first,
                                                              const Scaled& scaled) const noexcept
    -> QuarterCosts<T> {
  QuarterCosts<T> costs;
  if constexpr (kQuarters == kLevels) {
    costs = this->template level_costs<T>(r, first, scaled);
  } else {
    join(this->template level_costs<T>(r, first, scaled),
         this->template level_costs<T>(r, first + 1, scaled), costs);
  }
  if constexpr (!std::is_same_v<T, Byte>) {
    for (Part<T>& cost : costs.right) cost &= static_cast<T>(~kCode);
    for (Part<T>& cost : costs.wrong) cost &= static_cast<T>(~kCode);
  }
  return costs;
}

template <typename Type, WrongSign kWrongSign>
template <typename T>
void PartCosts<Type, kWrongSign>::sum_entry(std::size_t r, std::size_t first, const Scaled& scaled,
                                            EntryCosts<T>& costs) const noexcept {
  constexpr std::size_t kWidth = Codebook::kQuarterWidth;
  std::array<QuarterCosts<T>, 4> quarter;
  for (std::size_t i = 0; i < 4; ++i) quarter[i] = quarter_costs<T>(r, first + i * kWidth, scaled);
  if constexpr (std::is_same_v<T, Byte>) {
    costs.quarter = {quarter[0], quarter[1]};
  } else {
    mark<T>(quarter);
  }
  LeastCosts<T> least;
  find_least(quarter[1], least, std::make_index_sequence<Codebook::kMasks>());
  sum_sets(quarter[0], least, costs.first, std::make_index_sequence<Codebook::kCount>());
  join(quarter[2], quarter[3], costs.second);
}

}  // namespace sluice::inline SLUICE_ISA::magnitudes
