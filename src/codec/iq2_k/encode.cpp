#include "codec/iq2_k/block.h"
#include "codec/iq2_k/iq2_k.h"
#include "codec/lattice/level_search.h"

namespace sluice::inline SLUICE_ISA {

void encode_iq2_k(const EncodeRows& rows, std::byte* out) noexcept {
  constexpr LevelSearch kSearch = {.first_scale = -8,
                                   .last_scale = 7,
                                   .scale_step = 1,
                                   .trials = 8,
                                   .lowest = 0.5f,
                                   .highest = 1.6f};
  encode_levels<BlockIq2K, kIq2kLevels>(rows, out, kSearch);
}

}  // namespace sluice::inline SLUICE_ISA
