#include "codec/trellis/cells.h"

#include <cstring>
#include <memory>
#include <new>

#include "codec/trellis/regions_room.h"

namespace sluice::inline SLUICE_ISA {
namespace {

template <TrellisCodebook kBook>
void vector_of(std::uint32_t index, float* vector) noexcept {
  std::uint32_t state = index + kBook.offset;
  for (std::size_t j = 0; j < kBook.group; ++j) {
    state = trellis_next(state);
    vector[j] = static_cast<float>(trellis_value(state));
  }
}

/// Means of clusters of vectors, by Lloyd's algorithm, and clusters of at most so many of them.
template <TrellisCodebook kBook, std::size_t kMost>
class Clusters {
 public:
  static constexpr std::size_t kGroup = kBook.group;

  Clusters(const std::uint16_t* points, std::size_t count, std::size_t clusters,
           std::size_t capacity) noexcept
      : points_(points), count_(count), clusters_(clusters), capacity_(capacity) {
    for (std::size_t c = 0; c < clusters; ++c) {
      float vector[kGroup];
      vector_of<kBook>(points[c * count / clusters], vector);
      for (std::size_t j = 0; j < kGroup; ++j) mean_[j][c] = vector[j];
    }
  }

  /// Moves the means to those of the vectors nearest to them, looking at every `step`th.
  void improve(std::size_t step) noexcept {
    std::memset(sum_, 0, sizeof sum_);
    std::memset(size_, 0, sizeof size_);
    for (std::size_t i = 0; i < count_; i += step) {
      float vector[kGroup];
      vector_of<kBook>(points_[i], vector);
      measure(vector);
      take(nearest(~std::size_t{0}), vector);
    }
    set_means();
  }

  /// Writes the members of each cluster, `capacity` places to a cluster. Those that are nearest to
  /// some mean come first; then the nearest cluster with room takes each.
  /// \param round  room for a number for each of the vectors
  void assign(std::uint16_t* members, std::uint8_t* round) noexcept {
    std::memset(sum_, 0, sizeof sum_);
    std::memset(size_, 0, sizeof size_);
    float sum = 0;
    for (std::size_t i = 0; i < count_; ++i) sum += distance(points_[i]);
    const float per_round = 4 * sum / (kRounds * static_cast<float>(count_));
    for (std::size_t i = 0; i < count_; ++i) {
      const float at = distance(points_[i]) / per_round;
      round[i] = static_cast<std::uint8_t>(at < kRounds - 1 ? at : kRounds - 1);
    }
    for (int r = 0; r < kRounds; ++r) {
      for (std::size_t i = 0; i < count_; ++i) {
        if (round[i] != r) continue;
        float vector[kGroup];
        vector_of<kBook>(points_[i], vector);
        measure(vector);
        const std::size_t c = nearest(capacity_);
        members[c * capacity_ + size_[c]] = points_[i];
        take(c, vector);
      }
    }
    set_means();
  }

  std::size_t size(std::size_t cluster) const noexcept { return size_[cluster]; }

 private:
  static constexpr int kRounds = 16;

  void measure(const float* vector) noexcept {
    for (std::size_t c = 0; c < clusters_; ++c) distance_[c] = 0;
    for (std::size_t j = 0; j < kGroup; ++j) {
      for (std::size_t c = 0; c < clusters_; ++c) {
        const float difference = mean_[j][c] - vector[j];
        distance_[c] += difference * difference;
      }
    }
  }
  /// Of what was measured, among the clusters with less than so many members.
  std::size_t nearest(std::size_t capacity) const noexcept {
    std::size_t best = clusters_;
    for (std::size_t c = 0; c < clusters_; ++c) {
      if (size_[c] < capacity && (best == clusters_ || distance_[c] < distance_[best])) best = c;
    }
    return best;
  }
  float distance(std::uint32_t point) noexcept {
    float vector[kGroup];
    vector_of<kBook>(point, vector);
    measure(vector);
    return distance_[nearest(~std::size_t{0})];
  }
  void take(std::size_t cluster, const float* vector) noexcept {
    ++size_[cluster];
    for (std::size_t j = 0; j < kGroup; ++j) sum_[j][cluster] += vector[j];
  }
  void set_means() noexcept {
    for (std::size_t c = 0; c < clusters_; ++c) {
      if (size_[c] == 0) continue;
      for (std::size_t j = 0; j < kGroup; ++j) {
        mean_[j][c] = sum_[j][c] / static_cast<float>(size_[c]);
      }
    }
  }

  const std::uint16_t* points_;
  std::size_t count_;
  std::size_t clusters_;
  std::size_t capacity_;
  float mean_[kGroup][kMost];
  float sum_[kGroup][kMost];
  float distance_[kMost];
  std::size_t size_[kMost];
};

}  // namespace

template <TrellisCodebook kBook>
struct TrellisCells<kBook>::Room {
  std::uint16_t all[kBook.size()];
  std::uint8_t round[kBook.size()];
  std::int8_t vectors[kCells][16][kGroup];
  typename Regions::Room regions;
};

template <TrellisCodebook kBook>
const TrellisCells<kBook>* TrellisCells<kBook>::make() noexcept {
  const std::unique_ptr<Room> room(new (std::nothrow) Room);
  return room == nullptr ? nullptr : new (std::nothrow) TrellisCells(*room);
}

template <TrellisCodebook kBook>
TrellisCells<kBook>::TrellisCells(Room& room) noexcept {
  constexpr std::size_t kSize = kBook.size();
  constexpr std::size_t kSample = 1u << 13;
  constexpr int kImprovements = 8;
  for (std::size_t i = 0; i < kSize; ++i) room.all[i] = static_cast<std::uint16_t>(i);
  Clusters<kBook, kBook.branches> to_branches(room.all, kSize, kBook.branches, 256);
  for (int i = 0; i < kImprovements; ++i) to_branches.improve(kSize / kSample);
  to_branches.assign(&index_[0][0], room.round);
  for (std::size_t b = 0; b < kBook.branches; ++b) {
    std::uint16_t points[256];
    std::memcpy(points, &index_[16 * b][0], sizeof points);
    Clusters<kBook, 16> to_cells(points, to_branches.size(b), 16, 16);
    for (int i = 0; i < kImprovements; ++i) to_cells.improve(1);
    to_cells.assign(&index_[16 * b][0], room.round);
    for (std::size_t c = 0; c < 16; ++c) {
      std::uint16_t* const members = index_[16 * b + c];
      // Where there is room left, a vector comes twice.
      for (std::size_t i = to_cells.size(c); i < 16; ++i)
        members[i] = i == 0 ? points[0] : members[0];
    }
  }
  for (std::size_t c = 0; c < kCells; ++c) {
    for (std::size_t lane = 0; lane < 16; ++lane) {
      float vector[kGroup];
      vector_of<kBook>(index_[c][lane], vector);
      auto& integers = room.vectors[c][lane];
      for (std::size_t j = 0; j < kGroup; ++j) {
        integers[j] = static_cast<std::int8_t>(vector[j]);
      }
      cells_[c].set(lane, integers);
    }
  }
  regions_.fill(room.regions, room.vectors, kRanges);
}

template class TrellisCells<kIq1KtBook>;
template class TrellisCells<kIq2KtBook>;

}  // namespace sluice::inline SLUICE_ISA
