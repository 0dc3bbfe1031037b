#pragma once

// The vectors of a generated codebook in the order in which they are searched: in cells of 16, which
// are one register of each of their bytes, and 16 cells to a branch.

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/trellis/codebook.h"
#include "codec/trellis/made_once.h"
#include "simd/bytes.h"

namespace sluice::inline SLUICE_ISA {

/// One of the codebooks.
struct TrellisCodebook {
  unsigned bits;         ///< of an index
  std::size_t group;     ///< weights of a vector
  std::uint32_t offset;  ///< what is added to an index to begin with
  std::size_t
      branches;  ///< of the tree: 256 vectors to a branch, and some room; more than 64: 16 n
  bool magnitudes = false;  ///< integers without their signs

  constexpr std::size_t size() const noexcept { return std::size_t{1} << bits; }
};

inline constexpr TrellisCodebook kIq1KtBook = {13, 8, kTrellisOffset, 34};
inline constexpr TrellisCodebook kIq2KtBook = {16, 8, kTrellisOffset, 272};
inline constexpr TrellisCodebook kIq3KtBook = {16, 8, kTrellisOffset, 256, true};
inline constexpr TrellisCodebook kIq4KtBook = {16, 4, kTrellisOffset, 256};  ///< two of 2^15

namespace trellis_bytes {

/// What is added to integers, of [-126, 126].
inline constexpr std::uint8_t kMiddle = 126;
inline constexpr int kSquareUnit = 64;

/// Squares of whole magnitudes.
struct Squares {
  std::uint8_t of[128];
  constexpr Squares() noexcept : of() {
    for (int i = 0; i <= kMiddle; ++i) {
      of[i] = static_cast<std::uint8_t>((i * i + kSquareUnit / 2) / kSquareUnit);
    }
  }
};
inline constexpr Squares kSquares;

}  // namespace trellis_bytes

/// 16 points, ready for dot products of bytes: word k of one has four of its coordinates, plus 126,
/// word kGroup / 4 + k four of their squares, as multiples of 64.
template <std::size_t kGroup>
struct alignas(64) TrellisCell {
  static constexpr std::size_t kWords = kGroup / 4;

  std::int32_t words[2 * kWords][16];

  SLUICE_INLINE simd::Ints linear(std::size_t k) const noexcept {
    return simd::Ints::load(words[k]);
  }
  SLUICE_INLINE simd::Ints squares(std::size_t k) const noexcept {
    return simd::Ints::load(words[kWords + k]);
  }
  void set(std::size_t lane, const float* point) noexcept;
};

#if defined(__AVX512VBMI__)
/// 16 vectors of integers, whose squares, the same ones, are looked up in two registers: half of the memory to
/// wait for.
template <std::size_t kGroup>
struct alignas(64) TrellisVectors {
  static constexpr std::size_t kWords = kGroup / 4;

  std::int32_t words[kWords][16];

  SLUICE_INLINE simd::Ints linear(std::size_t k) const noexcept {
    return simd::Ints::load(words[k]);
  }
  SLUICE_INLINE simd::Ints squares(std::size_t k) const noexcept {
    using namespace trellis_bytes;
    return simd::look_up_distances(kSquares.of, linear(k), kMiddle);
  }
  void set(std::size_t lane, const float* vector) noexcept;
};
#else
template <std::size_t kGroup>
using TrellisVectors = TrellisCell<kGroup>;
#endif

/// How a target scores the points of a cell: half of what a vector takes off the target's error, but
/// for a constant, is sum w x s c - sum w s^2 c^2 / 2.
template <std::size_t kGroup>
struct TrellisQuery {
  static constexpr std::size_t kWords = kGroup / 4;

  std::int32_t linear[kWords];  ///< bytes: w x / s, in some unit
  std::int32_t square[kWords];  ///< bytes: -w / 2, in that unit times 64

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
    return square_part(cell, linear_part(cell));
  }
};

template <TrellisCodebook kBook>
class TrellisTree {
 public:
  static constexpr std::size_t kGroup = kBook.group;
  static constexpr std::size_t kBranches = kBook.branches;
  static constexpr std::size_t kCells = 16 * kBranches;
  /// Few branches are all looked into.
  static constexpr bool kBranchesAreRoots = kBranches <= 64;
  static constexpr std::size_t kRoots = kBranchesAreRoots ? kBranches : kBranches / 16;
  static_assert(kBranchesAreRoots || kBranches % 16 == 0);
  using Cell = TrellisCell<kGroup>;
  using Vectors = TrellisVectors<kGroup>;

  /// Made when it is first wanted, which takes a tenth of a second; see MadeOnce.
  static bool prepare() noexcept { return made_.prepare(); }
  static const TrellisTree& get() noexcept { return made_.get(); }

  /// Means of branches, or of their cells.
  const Cell& root(std::size_t i) const noexcept {
    return kBranchesAreRoots ? branches_[i] : top_[i];
  }
  const Cell& branch(std::size_t i) const noexcept { return branches_[i]; }  ///< means of its cells
  const Vectors& cell(std::size_t i) const noexcept { return cells_[i]; }
  std::uint32_t index(std::size_t cell, std::size_t lane) const noexcept {
    return index_[cell][lane];
  }

 private:
  friend class MadeOnce<TrellisTree>;
  struct Room;

  static const TrellisTree* make() noexcept;
  explicit TrellisTree(Room& room) noexcept;

  inline static constinit MadeOnce<TrellisTree> made_;

  std::array<Cell, kBranchesAreRoots ? 0 : kRoots> top_;
  std::array<Cell, kBranches> branches_;
  std::array<Vectors, kCells> cells_;
  std::uint16_t index_[kCells][16];
};

}  // namespace sluice::inline SLUICE_ISA
