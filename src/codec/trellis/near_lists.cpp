#include "codec/trellis/near_lists.h"

#include <cstring>
#include <memory>
#include <new>

namespace sluice::inline SLUICE_ISA {

/// Of one part of the codebook at a time.
template <TrellisCodebook kBook, std::size_t kParts>
struct NearLists<kBook, kParts>::Room {
  static constexpr std::size_t kDistances = 4096;
  static constexpr int kMostInteger = 126;

  // Integers of a range, both ends among them.
  int low[kRanges];
  int high[kRanges];
  std::int8_t integers[kPart][kGroup];
  std::int32_t regions[kPart];         ///< theirs
  std::uint16_t points[kPart];         ///< vectors by their regions
  std::uint32_t begins[kRegions + 1];  ///< of regions, in points
  std::uint32_t next[kRegions];        ///< free place of a region
  std::uint16_t near[kPart];           ///< vectors that a region chooses from
  std::uint16_t distances[kPart];      ///< theirs
  std::uint16_t with[kDistances];      ///< how many have a distance

  void generate(std::size_t part) noexcept {
    for (std::size_t i = 0; i < kPart; ++i) {
      std::uint32_t state = static_cast<std::uint32_t>(part * kPart + i) + kBook.offset;
      for (std::int8_t& integer : integers[i]) {
        state = trellis_next(state);
        integer = static_cast<std::int8_t>(trellis_value(state));
      }
    }
  }

  /// Of 16 vectors from `first` on, as targets are.
  struct Words {
    std::int32_t target[2][16];

    explicit Words(const std::int8_t (*vectors)[kGroup]) noexcept {
      for (std::size_t lane = 0; lane < 16; ++lane) {
        for (std::size_t k = 0; k < 2; ++k) {
          const auto one = static_cast<std::uint32_t>(256 * vectors[lane][k]);
          const auto other = static_cast<std::uint32_t>(256 * vectors[lane][k + 2]);
          target[k][lane] = static_cast<std::int32_t>((one & 0xffffu) | other << 16);
        }
      }
    }
  };

  void set_ranges() noexcept {
    for (std::size_t r = 0; r < kRanges; ++r) {
      low[r] = kMostInteger;
      high[r] = -kMostInteger;
    }
    for (int i = -kMostInteger; i <= kMostInteger; ++i) {
      const simd::Shorts ranges = range(simd::Shorts(static_cast<std::int16_t>(256 * i)));
      const auto r = static_cast<std::size_t>(ranges[0]);
      if (i < low[r]) low[r] = i;
      if (i > high[r]) high[r] = i;
    }
  }

  /// Sorts the vectors by their regions.
  void sort() noexcept {
    std::memset(begins, 0, sizeof begins);
    for (std::size_t i = 0; i < kPart; i += 16) {
      region(Words(integers + i)).store(regions + i);
    }
    for (const std::int32_t r : regions) ++begins[r + 1];
    for (std::size_t r = 0; r < kRegions; ++r) begins[r + 1] += begins[r];
    std::memcpy(next, begins, sizeof next);
    for (std::size_t i = 0; i < kPart; ++i) {
      points[next[regions[i]]++] = static_cast<std::uint16_t>(i);
    }
  }

  /// Writes which vectors are within so many ranges in each coordinate, and returns how many are.
  std::size_t take_near(const std::size_t (&ranges)[kGroup], std::size_t radius) noexcept {
    std::size_t first[kGroup];
    std::size_t last[kGroup];
    for (std::size_t j = 0; j < kGroup; ++j) {
      first[j] = ranges[j] < radius ? 0 : ranges[j] - radius;
      last[j] = ranges[j] + radius < kRanges ? ranges[j] + radius : kRanges - 1;
    }
    std::size_t count = 0;
    for (std::size_t d = first[3]; d <= last[3]; ++d) {
      for (std::size_t c = first[2]; c <= last[2]; ++c) {
        for (std::size_t b = first[1]; b <= last[1]; ++b) {
          const std::size_t row = ((d * kRanges + c) * kRanges + b) * kRanges;
          for (std::uint32_t i = begins[row + first[0]]; i < begins[row + last[0] + 1]; ++i) {
            near[count++] = points[i];
          }
        }
      }
    }
    return count;
  }

  /// Square of the distance from a region, less an eighth of its extent on all sides, in units of 2.
  std::size_t distance(const std::size_t (&ranges)[kGroup],
                       const std::int8_t (&vector)[kGroup]) const noexcept {
    int sum = 0;  // in 256ths
    for (std::size_t j = 0; j < kGroup; ++j) {
      const int twice = 2 * vector[j] - (low[ranges[j]] + high[ranges[j]]);
      const int beyond = 8 * (twice < 0 ? -twice : twice) - 7 * (high[ranges[j]] - low[ranges[j]]);
      if (beyond > 0) sum += beyond * beyond;
    }
    const auto units = static_cast<std::size_t>(sum) / 512;
    return units < kDistances ? units : kDistances - 1;
  }
};

template <TrellisCodebook kBook, std::size_t kParts>
const NearLists<kBook, kParts>* NearLists<kBook, kParts>::make() noexcept {
  const std::unique_ptr<Room> room(new (std::nothrow) Room);
  return room == nullptr ? nullptr : new (std::nothrow) NearLists(*room);
}

template <TrellisCodebook kBook, std::size_t kParts>
NearLists<kBook, kParts>::NearLists(Room& room) noexcept {
  room.set_ranges();
  for (std::size_t part = 0; part < kParts; ++part) {
    room.generate(part);
    room.sort();
    for (std::size_t region = 0; region < kRegions; ++region) {
      std::size_t ranges[kGroup];
      std::size_t rest = region;
      for (std::size_t& range : ranges) {
        range = rest % kRanges;
        rest /= kRanges;
      }
      fill(room, part, ranges);
    }
  }
}

template <TrellisCodebook kBook, std::size_t kParts>
void NearLists<kBook, kParts>::fill(Room& room, std::size_t part,
                                    const std::size_t (&ranges)[kGroup]) noexcept {
  constexpr std::size_t kEnough = 2 * kVectors;
  std::size_t count = 0;
  for (std::size_t radius = 1; count < kEnough; ++radius) count = room.take_near(ranges, radius);
  std::memset(room.with, 0, sizeof room.with);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t distance = room.distance(ranges, room.integers[room.near[i]]);
    room.distances[i] = static_cast<std::uint16_t>(distance);
    ++room.with[distance];
  }
  std::size_t most = 0;
  std::size_t taken = room.with[0];
  while (taken < kVectors) taken += room.with[++most];
  std::size_t surplus = taken - kVectors;  // of those at the largest distance
  std::size_t region = 0;
  for (std::size_t j = kGroup; j-- > 0;) region = region * kRanges + ranges[j];
  std::size_t place = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (room.distances[i] > most) continue;
    if (room.distances[i] == most && surplus > 0) {
      --surplus;
      continue;
    }
    std::int8_t negated[kGroup];
    for (std::size_t j = 0; j < kGroup; ++j) {
      negated[j] = static_cast<std::int8_t>(-room.integers[room.near[i]][j]);
    }
    const std::size_t cell = place / 16;
    const std::size_t lane = place++ % 16;
    std::memcpy(&cells_[region][part][cell].negated[0][lane], negated, sizeof negated);
    index_[(region * kParts + part) * kCells + cell][lane] =
        static_cast<std::uint16_t>(part * kPart + room.near[i]);
  }
}

template class NearLists<kIq4KtBook, 2>;

}  // namespace sluice::inline SLUICE_ISA
