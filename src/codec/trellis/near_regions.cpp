#include "codec/trellis/near_regions.h"

#include <memory>
#include <new>

#include "codec/trellis/regions_room.h"

namespace sluice::inline SLUICE_ISA {

template <TrellisCodebook kBook>
struct NearRegions<kBook>::Room {
  std::int8_t vectors[Tree::kCells][16][kGroup];
  typename Regions::Room regions;
};

template <TrellisCodebook kBook>
const NearRegions<kBook>* NearRegions<kBook>::make() noexcept {
  const std::unique_ptr<Room> room(new (std::nothrow) Room);
  return room == nullptr ? nullptr : new (std::nothrow) NearRegions(*room);
}

template <TrellisCodebook kBook>
NearRegions<kBook>::NearRegions(Room& room) noexcept {
  for (std::size_t c = 0; c < Tree::kCells; ++c) {
    for (std::size_t lane = 0; lane < 16; ++lane) {
      float vector[kGroup];
      decode_trellis<kGroup>(tree_.index(c, lane) + kBook.offset, 1.0f, vector);
      for (std::size_t j = 0; j < kGroup; ++j) {
        const auto integer = static_cast<std::int8_t>(vector[j]);
        room.vectors[c][lane][j] = static_cast<std::int8_t>(integer < 0 ? -integer : integer);
      }
    }
  }
  regions_.fill(room.regions, room.vectors, kRanges);
}

template class NearRegions<kIq3KtBook>;

}  // namespace sluice::inline SLUICE_ISA
