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

/// 16 vectors, ready for dot products of bytes: word k of a vector has four of its integers, plus 126,
/// word kGroup / 4 + k four of their squares, as multiples of 64.
template <std::size_t kGroup>
struct alignas(64) TrellisCell {
  static constexpr std::size_t kWords = kGroup / 4;
  static constexpr int kSquareUnit = 64;

  std::int32_t words[2 * kWords][16];

  void set(std::size_t lane, const float* vector) noexcept;
};

/// How a target scores the vectors of a cell: half of what a vector takes off the target's error, but
/// for a constant, is sum w x s c - sum w s^2 c^2 / 2.
template <std::size_t kGroup>
struct TrellisQuery {
  static constexpr std::size_t kWords = kGroup / 4;

  std::int32_t linear[kWords];  ///< bytes: w x / s, in some unit
  std::int32_t square[kWords];  ///< bytes: -w / 2, in that unit times 64

  using Cell = TrellisCell<kGroup>;
  SLUICE_INLINE simd::Ints linear_part(const Cell& cell) const noexcept {
    return sum(0, &cell.words[0], linear);
  }
  SLUICE_INLINE simd::Ints square_part(const Cell& cell) const noexcept {
    return sum(0, &cell.words[kWords], square);
  }
  SLUICE_INLINE simd::Ints score(const Cell& cell) const noexcept {
    return sum(linear_part(cell), &cell.words[kWords], square);
  }

 private:
  static SLUICE_INLINE simd::Ints sum(simd::Ints so_far, const std::int32_t (*words)[16],
                                      const std::int32_t (&factors)[kWords]) noexcept {
    for (std::size_t k = 0; k < kWords; ++k) {
      so_far = simd::accumulate_byte_products(so_far, simd::Ints::load(words[k]),
                                              simd::Ints(factors[k]));
    }
    return so_far;
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

  /// Made when it is first wanted, which takes a tenth of a second; see MadeOnce.
  static bool prepare() noexcept { return made_.prepare(); }
  static const TrellisTree& get() noexcept { return made_.get(); }

  /// Means of branches, or of their cells.
  const Cell& root(std::size_t i) const noexcept {
    return kBranchesAreRoots ? branches_[i] : top_[i];
  }
  const Cell& branch(std::size_t i) const noexcept { return branches_[i]; }  ///< means of its cells
  const Cell& cell(std::size_t i) const noexcept { return cells_[i]; }
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
  std::array<Cell, kCells> cells_;
  std::uint16_t index_[kCells][16];
};

}  // namespace sluice::inline SLUICE_ISA
