#include "codec/trellis/near_regions.h"

#include <memory>
#include <new>

#include "codec/trellis/regions_room.h"

namespace sluice::inline SLUICE_ISA {

template <typename Kind>
struct NearRegions<Kind>::Room {
  std::int8_t vectors[kCells][16][kGroup];  ///< of a part
  typename Regions::Room regions;
};

template <typename Kind>
const NearRegions<Kind>* NearRegions<Kind>::make() noexcept {
  const std::unique_ptr<Room> room(new (std::nothrow) Room);
  return room == nullptr ? nullptr : new (std::nothrow) NearRegions(*room);
}

template <typename Kind>
NearRegions<Kind>::NearRegions(Room& room) noexcept {
  constexpr TrellisCodebook kBook = Tree::kCodebook;
  for (std::size_t first = 0; first < Tree::kCells; first += kCells) {
    for (std::size_t c = 0; c < kCells; ++c) {
      for (std::size_t lane = 0; lane < 16; ++lane) {
        float vector[kGroup];
        decode_trellis<kGroup>(tree_.index(first + c, lane) + kBook.offset, 1.0f, vector);
        for (std::size_t j = 0; j < kGroup; ++j) {
          const auto integer = static_cast<std::int8_t>(vector[j]);
          room.vectors[c][lane][j] =
              static_cast<std::int8_t>(kBook.magnitudes && integer < 0 ? -integer : integer);
        }
      }
    }
    regions_[first / kCells].fill(room.regions, room.vectors, Kind::kRanges, first);
  }
}

template class NearRegions<Iq3KtNear>;
template class NearRegions<Iq4KtNear>;

}  // namespace sluice::inline SLUICE_ISA
