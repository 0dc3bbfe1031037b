#pragma once

// The vectors of a generated codebook in the order in which they are searched: in cells of 16, near to one
// another, which are one register for each four of their bytes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "codec/trellis/codebook.h"
#include "codec/trellis/made_once.h"
#include "codec/trellis/regions.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

namespace trellis_bytes {

/// Byte b, below 64, stands for the mean of the four integers of [-126, 126] that are b, 4 b - kMiddle. What is found
/// is compared with all of its bits.
inline constexpr int kStep = 4;
inline constexpr float kMiddle = 124.5f;
inline constexpr int kBytes = 64;
inline constexpr int kSquareUnit = 64;

constexpr std::uint8_t byte_of(int integer) noexcept {
  return static_cast<std::uint8_t>((integer + 126) / kStep);
}

/// Squares of what bytes stand for, as multiples of kSquareUnit.
struct Squares {
  std::uint8_t of[kBytes];
  constexpr Squares() noexcept : of() {
    constexpr int kUnit = 4 * kSquareUnit;  // of doubled numbers' squares
    for (int i = 0; i < kBytes; ++i) {
      const int doubled = 2 * kStep * i - static_cast<int>(2 * kMiddle);
      of[i] = static_cast<std::uint8_t>((doubled * doubled + kUnit / 2) / kUnit);
    }
  }
};
inline constexpr Squares kSquares;

}  // namespace trellis_bytes

/// 16 vectors, ready for dot products of bytes: word k of one has four of its coordinates.
template <std::size_t kGroup>
struct alignas(64) TrellisVectors {
  static constexpr std::size_t kWords = kGroup / 4;
#if defined(__AVX512VBMI__)
  /// Squares are looked up in a register: half of the memory to wait for.
  static constexpr bool kStoresSquares = false;
#else
  static constexpr bool kStoresSquares = true;
#endif

  std::int32_t words[kWords * (kStoresSquares ? 2 : 1)][16];

  SLUICE_INLINE simd::Ints linear(std::size_t k) const noexcept {
    return simd::Ints::load(words[k]);
  }
  /// As multiples of 64.
  SLUICE_INLINE simd::Ints squares(std::size_t k) const noexcept {
#if defined(__AVX512VBMI__)
    return simd::look_up_bytes(trellis_bytes::kSquares.of, linear(k));
#else
    return simd::Ints::load(words[kWords + k]);
#endif
  }
  void set(std::size_t lane, const std::int8_t (&vector)[kGroup]) noexcept {
    using namespace trellis_bytes;
    std::uint8_t bytes[2 * kGroup];
    for (std::size_t j = 0; j < kGroup; ++j) {
      bytes[j] = byte_of(vector[j]);
      bytes[kGroup + j] = kSquares.of[bytes[j]];
    }
    for (std::size_t k = 0; k < std::size(words); ++k) {
      std::memcpy(&words[k][lane], bytes + 4 * k, sizeof words[k][lane]);
    }
  }
};

/// How a target scores the vectors of a cell: half of what a vector takes off the target's error, but
/// for a constant, is sum w x s c - sum w s^2 c^2 / 2.
template <std::size_t kGroup>
struct TrellisQuery {
  static constexpr std::size_t kWords = kGroup / 4;

  std::int32_t linear[kWords];  ///< bytes: 2 w x s, in some unit
  std::int32_t square[kWords];  ///< bytes: -32 w s^2, in that unit

  /// \param so_far  what is added
  template <typename Cell>
  SLUICE_INLINE simd::Ints linear_part(const Cell& cell, simd::Ints so_far = 0) const noexcept {
    for (std::size_t k = 0; k < kWords; ++k) {
      so_far = simd::accumulate_byte_products(so_far, cell.linear(k), simd::Ints(linear[k]));
    }
    return so_far;
  }
  template <typename Cell>
  SLUICE_INLINE simd::Ints square_part(const Cell& cell, simd::Ints so_far = 0) const noexcept {
    for (std::size_t k = 0; k < kWords; ++k) {
      so_far = simd::accumulate_byte_products(so_far, cell.squares(k), simd::Ints(square[k]));
    }
    return so_far;
  }
  template <typename Cell>
  SLUICE_INLINE simd::Ints score(const Cell& cell) const noexcept {
    // A byte is four ones.
    const simd::Ints products = linear_part(cell);
    return square_part(cell, products + products);
  }
};

template <TrellisCodebook kBook>
class TrellisCells {
 public:
  static constexpr std::size_t kGroup = kBook.group;
  static constexpr std::size_t kCells = 16 * kBook.branches;
  using Vectors = TrellisVectors<kGroup>;
  /// More cells where these are smaller than regions. A list is a line of the cache, or two.
  using Regions = TrellisRegions<kCells, kBook.bits == 13 ? 32 : 64>;
  /// Borders at 0.8 of the integers' deviation.
  static constexpr TrellisRanges kRanges = {{-30, 0, 30}, kBook.bits == 13 ? 17.0f : 13.0f};

  /// Made when they are first wanted, which takes up to 0.4 s; see MadeOnce.
  static bool prepare() noexcept { return made_.prepare(); }
  static const TrellisCells& get() noexcept { return made_.get(); }

  const Regions& regions() const noexcept { return regions_; }
  const Vectors& cell(std::size_t i) const noexcept { return cells_[i]; }
  std::uint32_t index(std::size_t cell, std::size_t lane) const noexcept {
    return index_[cell][lane];
  }

 private:
  friend class MadeOnce<TrellisCells>;
  struct Room;

  static const TrellisCells* make() noexcept;
  explicit TrellisCells(Room& room) noexcept;

  inline static constinit MadeOnce<TrellisCells> made_;

  std::array<Vectors, kCells> cells_;
  Regions regions_;
  std::uint16_t index_[kCells][16];
};

}  // namespace sluice::inline SLUICE_ISA
