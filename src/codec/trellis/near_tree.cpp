#include "codec/trellis/near_tree.h"

#include <cstring>
#include <memory>
#include <new>

namespace sluice::inline SLUICE_ISA {
namespace {

template <TrellisCodebook kBook>
struct Vector {
  int integer[kBook.group];

  explicit Vector(std::uint32_t index) noexcept {
    std::uint32_t state = index + kBook.offset;
    for (int& i : integer) {
      state = trellis_next(state);
      i = trellis_value(state);
      if (kBook.magnitudes && i < 0) i = -i;
    }
  }
};

/// Mean, rounded, and extent of some vectors.
template <TrellisCodebook kBook>
struct Box {
  int middle[kBook.group] = {};
  int deviation[kBook.group] = {};  ///< sum of absolute ones

  Box(const std::uint16_t* points, std::size_t count) noexcept {
    const auto signed_count = static_cast<int>(count);
    for (std::size_t i = 0; i < count; ++i) {
      const Vector<kBook> vector(points[i]);
      for (std::size_t j = 0; j < kBook.group; ++j) middle[j] += vector.integer[j];
    }
    for (int& m : middle) m = (m + (m < 0 ? -signed_count : signed_count) / 2) / signed_count;
    for (std::size_t i = 0; i < count; ++i) {
      const Vector<kBook> vector(points[i]);
      for (std::size_t j = 0; j < kBook.group; ++j) {
        const int difference = vector.integer[j] - middle[j];
        deviation[j] += difference < 0 ? -difference : difference;
      }
    }
  }

  std::size_t widest() const noexcept {
    std::size_t axis = 0;
    for (std::size_t j = 1; j < kBook.group; ++j) {
      if (deviation[j] > deviation[axis]) axis = j;
    }
    return axis;
  }
};

/// Sorts vectors by the integer in which they differ most. Not part of halve(): each of its calls would
/// have these tables on the stack.
/// \param room  for as many
template <TrellisCodebook kBook>
[[gnu::noinline]] void sort(std::uint16_t* points, std::uint16_t* room,
                            std::size_t count) noexcept {
  constexpr int kLeast = -126;
  const std::size_t axis = Box<kBook>(points, count).widest();
  std::size_t end[2 - 2 * kLeast] = {};  // of the places of those with an integer less than this
  const auto value = [axis](std::uint16_t point) noexcept {
    return static_cast<std::size_t>(Vector<kBook>(point).integer[axis] - kLeast);
  };
  for (std::size_t i = 0; i < count; ++i) ++end[value(points[i]) + 1];
  for (std::size_t v = 1; v < sizeof end / sizeof *end; ++v) end[v] += end[v - 1];
  for (std::size_t i = 0; i < count; ++i) room[end[value(points[i])]++] = points[i];
  std::memcpy(points, room, count * sizeof *points);
}

/// Puts vectors into such an order that each 16 are a cell, and each 256 a branch.
/// \param room  for as many
template <TrellisCodebook kBook>
void halve(std::uint16_t* points, std::uint16_t* room, std::size_t count) noexcept {
  if (count <= 16) return;
  sort<kBook>(points, room, count);
  halve<kBook>(points, room, count / 2);
  halve<kBook>(points + count / 2, room, count / 2);
}

/// Four integers times a factor, as bytes of a word.
std::uint32_t bytes_of(const int* integers, int factor) noexcept {
  std::uint32_t word = 0;
  for (int j = 0; j < 4; ++j) {
    word |= (static_cast<std::uint32_t>(factor * integers[j]) & 255u) << 8 * j;
  }
  return word;
}

template <TrellisCodebook kBook>
void set_box(NearBoxes<kBook.group>& boxes, std::size_t lane, const std::uint16_t* points,
             std::size_t count) noexcept {
  // Of what is evenly spread, five sixths are within 1.65 mean deviations. Boxes of all vectors would be
  // empty in most corners.
  constexpr int kPercent = 165;
  constexpr int kMostHalf = 127;
  Box<kBook> box(points, count);
  for (int& d : box.deviation) {
    d = d * kPercent / (100 * static_cast<int>(count));
    if (d > kMostHalf) d = kMostHalf;
  }
  for (std::size_t k = 0; k < kBook.group / 4; ++k) {
    boxes.negated[k][lane] = static_cast<std::int32_t>(bytes_of(box.middle + 4 * k, -1));
    boxes.half[k][lane] = static_cast<std::int32_t>(bytes_of(box.deviation + 4 * k, 1));
  }
}

}  // namespace

template <TrellisCodebook kBook, std::size_t kParts>
struct NearTree<kBook, kParts>::Room {
  std::uint16_t points[kBook.size() / kParts];
};

template <TrellisCodebook kBook, std::size_t kParts>
const NearTree<kBook, kParts>* NearTree<kBook, kParts>::make() noexcept {
  const std::unique_ptr<Room> room(new (std::nothrow) Room);
  return room == nullptr ? nullptr : new (std::nothrow) NearTree(*room);
}

template <TrellisCodebook kBook, std::size_t kParts>
NearTree<kBook, kParts>::NearTree(Room& room) noexcept {
  constexpr std::size_t kPart = kBook.size() / kParts;
  std::uint16_t* const points = &index_[0][0];
  for (std::size_t i = 0; i < kBook.size(); ++i) points[i] = static_cast<std::uint16_t>(i);
  for (std::size_t part = 0; part < kParts; ++part) {
    halve<kBook>(points + part * kPart, room.points, kPart);
  }
  for (std::size_t b = 0; b < kBranches; ++b) {
    set_box<kBook>(tops_[b / 16], b % 16, points + 256 * b, 256);
    for (std::size_t c = 16 * b; c < 16 * b + 16; ++c) {
      set_box<kBook>(branches_[b], c % 16, index_[c], 16);
      for (std::size_t i = 0; i < 16; ++i) {
        const Vector<kBook> vector(index_[c][i]);
        for (std::size_t k = 0; k < kGroup / 4; ++k) {
          cells_[c].set_bytes(k, i, bytes_of(vector.integer + 4 * k, -1));
        }
      }
    }
  }
}

template class NearTree<kIq3KtBook, 1>;
template class NearTree<kIq4KtBook, 2>;

}  // namespace sluice::inline SLUICE_ISA
