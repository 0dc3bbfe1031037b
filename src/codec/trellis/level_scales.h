#pragma once

// The scales of IQ1_KT's and IQ2_KT's sub-blocks: IQ4_NL's levels.

#include "codec/i_quants/levels.h"
#include "codec/trellis/scales.h"

namespace sluice::inline SLUICE_ISA {

inline constexpr auto kIq4LevelOf = [](std::size_t code) noexcept { return kIq4Levels[code]; };
inline constexpr TrellisScales kIq4LevelScales[2] = {scales_of_sign(16, false, kIq4LevelOf),
                                                     scales_of_sign(16, true, kIq4LevelOf)};
inline constexpr TrellisScales kIq4LevelMagnitudes =
    scales_of_sign(16, false, [](std::size_t code) noexcept {
      return kIq4Levels[code] < 0 ? -kIq4Levels[code] : kIq4Levels[code];
    });

}  // namespace sluice::inline SLUICE_ISA
