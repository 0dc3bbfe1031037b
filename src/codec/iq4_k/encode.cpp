#include "codec/iq4_k/block.h"
#include "codec/iq4_k/iq4_k.h"
#include "codec/lattice/level_search.h"

namespace sluice::inline SLUICE_ISA {

void encode_iq4_k(const EncodeRows& rows, std::byte* out) noexcept {
  constexpr LevelSearch kSearch = {.first_scale = -32,
                                   .last_scale = 31,
                                   .scale_step = 1,
                                   .trials = 12,
                                   .lowest = 0.7f,
                                   .highest = 1.2f};
  encode_levels<BlockIq4K, kIq4kLevels>(rows, out, kSearch);
}

}  // namespace sluice::inline SLUICE_ISA
