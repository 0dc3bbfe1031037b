#include "base/float16.h"
#include "codec/iq4_nl/block.h"
#include "codec/iq4_nl/iq4_nl.h"
#include "codec/lattice/for_each_block.h"
#include "codec/lattice/levels.h"
#include "codec/packing/finite_scales.h"
namespace sluice::inline SLUICE_ISA {

void decode_iq4_nl(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for_each_block<BlockIq4Nl, 32>(blocks, out, elements, [](const BlockIq4Nl& block, float* y) {
    const float d = f16_to_f32(block.d);
    for (unsigned j = 0; j < 16; ++j) {
      y[j] = d * kIq4Levels[block.codes[j] & 15u];
      y[j + 16] = d * kIq4Levels[block.codes[j] >> 4];
    }
  });
}

bool scales_finite_iq4_nl(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockIq4Nl>(blocks, count,
                                [](const BlockIq4Nl& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
