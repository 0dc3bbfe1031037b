#include "codec/iq2_k/block.h"
#include "codec/iq2_k/iq2_k.h"
#include "codec/lattice/level_search.h"

namespace sluice::inline SLUICE_ISA {

void encode_iq2_k(const EncodeRows& rows, std::byte* out) noexcept {
  constexpr ScaleRange kScales = {.first = -8, .last = 7, .step = 1};
  constexpr LevelSearch kFast = {
      .scales = kScales, .trials = 3, .lowest = 0.5f, .highest = 1.6f, .candidates = 2};
  constexpr LevelSearch kBest = {
      .scales = kScales, .trials = 6, .lowest = 0.5f, .highest = 1.6f, .candidates = 4};
  encode_levels<BlockIq2K, kIq2kLevels>(rows, out, rows.effort == Effort::fast ? kFast : kBest);
}

}  // namespace sluice::inline SLUICE_ISA
