#include "codec/iq4_k/block.h"
#include "codec/iq4_k/iq4_k.h"
#include "codec/lattice/level_search.h"

namespace sluice::inline SLUICE_ISA {

void encode_iq4_k(const EncodeRows& rows, std::byte* out) noexcept {
  constexpr ScaleRange kScales = {.first = -32, .last = 31, .step = 1};
  constexpr LevelSearch kFast = {
      .scales = kScales, .trials = 3, .lowest = 0.8f, .highest = 1.05f, .candidates = 1};
  constexpr LevelSearch kBest = {
      .scales = kScales, .trials = 8, .lowest = 0.7f, .highest = 1.2f, .candidates = 4};
  encode_levels<BlockIq4K, kIq4kLevels>(rows, out, rows.effort == Effort::fast ? kFast : kBest);
}

}  // namespace sluice::inline SLUICE_ISA
