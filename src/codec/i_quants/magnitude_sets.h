#pragma once

// A codebook of magnitudes as what a search of all of it has to add up and compare.
//
// An entry is four quarters. A second half (the last two) goes with some first halves only, and of
// those the least cost is wanted. First halves with a first quarter in common are a set of second
// quarters, and what goes with each second half is made of the same few sets: of IQ2_S's 1024
// entries 459 uses of 129 sets, of 26 different lists of second quarters.

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/i_quants/magnitudes.h"

namespace sluice::inline SLUICE_ISA::magnitudes {

template <typename Type>
struct Sets {
  using Magnitudes = Format<Type>;
  static constexpr std::size_t kQuarterWidth = Magnitudes::kHalfWidth / 2;
  static constexpr std::size_t kQuarters =
      kQuarterWidth == 2 ? Magnitudes::kLevels * Magnitudes::kLevels : Magnitudes::kLevels;
  static constexpr std::size_t kHalfCount = kQuarters * kQuarters;

  /// Bit q of [second half][first quarter]: an entry has q as its second quarter.
  using Masks = std::array<std::array<std::uint16_t, kQuarters>, kHalfCount>;
  static constexpr Masks kMaskOf = [] {
    Masks masks{};
    for (std::size_t entry = 0; entry < Type::kGrid.size(); ++entry) {
      const std::size_t first = Magnitudes::half_number(entry, 0);
      std::uint16_t& mask = masks[Magnitudes::half_number(entry, 1)][first / kQuarters];
      mask = static_cast<std::uint16_t>(mask | 1u << first % kQuarters);
    }
    return masks;
  }();

  static constexpr std::size_t kMaxSets = 256;
  struct Set {
    std::size_t quarter;  ///< the first
    std::size_t mask;     ///< number of what the second ones are
  };
  /// Different sets and masks in the order of their first use, and which each second half has.
  struct All {
    std::array<Set, kMaxSets> set{};
    std::size_t count = 0;
    std::array<std::uint16_t, kMaxSets> mask{};
    std::size_t masks = 0;
    std::array<std::array<std::uint16_t, kQuarters>, kHalfCount> number{};  ///< [second half][i]
    std::array<std::uint16_t, kHalfCount> size{};  ///< sets of a second half; 0: it has no entry
  };
  static constexpr All kAll = [] {
    All all;
    for (std::size_t second = 0; second < kHalfCount; ++second) {
      for (std::size_t quarter = 0; quarter < kQuarters; ++quarter) {
        if (kMaskOf[second][quarter] == 0) continue;
        std::size_t mask = 0;
        while (mask < all.masks && all.mask[mask] != kMaskOf[second][quarter]) ++mask;
        if (mask == all.masks) all.mask[all.masks++] = kMaskOf[second][quarter];
        std::size_t i = 0;
        while (i < all.count && (all.set[i].quarter != quarter || all.set[i].mask != mask)) ++i;
        if (i == all.count) all.set[all.count++] = {quarter, mask};
        all.number[second][all.size[second]++] = static_cast<std::uint16_t>(i);
      }
    }
    return all;
  }();
  static constexpr std::size_t kCount = kAll.count;
  static constexpr std::size_t kMasks = kAll.masks;

  /// The second halves, those of fewest sets first, and how many have 1, 2, ... sets.
  struct Order {
    std::array<std::uint16_t, kHalfCount> second{};
    std::array<std::size_t, kQuarters + 1> with{};
    std::size_t count = 0;
    std::size_t numbers = 0;  ///< of sets and second halves, all told
  };
  static constexpr Order kOrder = [] {
    Order order;
    for (std::size_t size = 1; size <= kQuarters; ++size) {
      for (std::size_t second = 0; second < kHalfCount; ++second) {
        if (kAll.size[second] != size) continue;
        order.second[order.count++] = static_cast<std::uint16_t>(second);
        ++order.with[size];
        order.numbers += size + 1;
      }
    }
    return order;
  }();

  /// For each second half in that order, where in lists of registers its sets' costs are and its own, in bytes.
  static constexpr auto kWalk = [] {
    std::array<std::uint16_t, kOrder.numbers> walk{};
    std::size_t at = 0;
    const auto add = [&](std::size_t number) {
      walk[at++] = static_cast<std::uint16_t>(number * sizeof(simd::Part<std::int16_t>));
    };
    for (std::size_t place = 0; place < kOrder.count; ++place) {
      const std::size_t second = kOrder.second[place];
      for (std::size_t i = 0; i < kAll.size[second]; ++i) add(kAll.number[second][i]);
      add(second);
    }
    return walk;
  }();

  /// The last digits of kStep times the number of the first quarter plus that of the second: no two
  /// first halves that go with the same second half have the same.
  static constexpr bool kFewEntries = kQuarters == 8 && Type::kGrid.size() <= 256;
  static constexpr std::size_t kStep = kQuarters == 9 ? 6 : kFewEntries ? 4 : 8;
  static constexpr std::size_t kCodes = kFewEntries ? 32 : 64;
  static constexpr std::size_t first_code(std::size_t entry) noexcept {
    const std::size_t first = Magnitudes::half_number(entry, 0);
    return (first / kQuarters * kStep + first % kQuarters) % kCodes;
  }

  /// Words of entries by kCodes * place of the second half + code of the first half; 0 if there is none.
  static constexpr auto kEntryAt = [] {
    std::array<std::size_t, kHalfCount> place_of{};
    for (std::size_t place = 0; place < kOrder.count; ++place) {
      place_of[kOrder.second[place]] = place;
    }
    std::array<std::int32_t, kCodes * kOrder.count> entries{};
    for (std::size_t entry = 0; entry < Type::kGrid.size(); ++entry) {
      const std::size_t place = place_of[Magnitudes::half_number(entry, 1)];
      entries[kCodes * place + first_code(entry)] = Magnitudes::word(entry);
    }
    return entries;
  }();
  static_assert([] {
    std::size_t count = Magnitudes::word(0) == 0 ? 1 : 0;  // then entry 0 looks like none
    for (const std::int32_t entry : kEntryAt) count += entry != 0;
    return count == Type::kGrid.size();
  }());
};

}  // namespace sluice::inline SLUICE_ISA::magnitudes
