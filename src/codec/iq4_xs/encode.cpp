#include "codec/iq4_xs/block.h"
#include "codec/iq4_xs/iq4_xs.h"
#include "codec/lattice/level_search.h"

namespace sluice::inline SLUICE_ISA {

void encode_iq4_xs(const EncodeRows& rows, std::byte* out) noexcept {
  constexpr ScaleRange kScales = {.first = -32, .last = 31, .step = 1};
  constexpr LevelSearch kFast = {
      .scales = kScales, .trials = 5, .lowest = 0.7f, .highest = 1.2f, .candidates = 1};
  constexpr LevelSearch kBest = {
      .scales = kScales, .trials = 12, .lowest = 0.7f, .highest = 1.2f, .candidates = 2};
  encode_levels<BlockIq4Xs, kIq4xsLevels, 8>(rows, out,
                                             rows.effort == Effort::fast ? kFast : kBest);
}

}  // namespace sluice::inline SLUICE_ISA
