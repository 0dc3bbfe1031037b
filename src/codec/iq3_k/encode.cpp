#include "codec/iq3_k/block.h"
#include "codec/iq3_k/iq3_k.h"
#include "codec/lattice/level_search.h"

namespace sluice::inline SLUICE_ISA {

void encode_iq3_k(const EncodeRows& rows, std::byte* out) noexcept {
  constexpr ScaleRange kScales = {.first = -31, .last = 31, .step = 2};
  constexpr LevelSearch kFast = {
      .scales = kScales, .trials = 3, .lowest = 0.75f, .highest = 1.1f, .candidates = 1};
  constexpr LevelSearch kBest = {
      .scales = kScales, .trials = 6, .lowest = 0.7f, .highest = 1.3f, .candidates = 3};
  encode_levels<BlockIq3K, kIq3kLevels>(rows, out, rows.effort == Effort::fast ? kFast : kBest);
}

}  // namespace sluice::inline SLUICE_ISA
