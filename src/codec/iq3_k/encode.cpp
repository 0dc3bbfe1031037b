#include "codec/iq3_k/block.h"
#include "codec/iq3_k/iq3_k.h"
#include "codec/lattice/level_search.h"

namespace sluice::inline SLUICE_ISA {

void encode_iq3_k(const EncodeRows& rows, std::byte* out) noexcept {
  constexpr LevelSearch kSearch = {.first_scale = -31,
                                   .last_scale = 31,
                                   .scale_step = 2,
                                   .trials = 8,
                                   .lowest = 0.7f,
                                   .highest = 1.3f};
  encode_levels<BlockIq3K, kIq3kLevels>(rows, out, kSearch);
}

}  // namespace sluice::inline SLUICE_ISA
