#include "base/float16.h"
#include "codec/iq4_xs/block.h"
#include "codec/iq4_xs/iq4_xs.h"
#include "codec/lattice/for_each_block.h"
#include "codec/lattice/levels.h"
#include "codec/packing/finite_scales.h"
namespace sluice::inline SLUICE_ISA {

void decode_iq4_xs(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for_each_block<BlockIq4Xs, 256>(blocks, out, elements, [](const BlockIq4Xs& block, float* y) {
    const float d = f16_to_f32(block.d);
    for (unsigned b = 0; b < 8; ++b, y += 32) {
      const float scale = d * static_cast<float>(block.scale(b));
      for (unsigned j = 0; j < 16; ++j) {
        y[j] = scale * kIq4Levels[block.codes[b][j] & 15u];
        y[j + 16] = scale * kIq4Levels[block.codes[b][j] >> 4];
      }
    }
  });
}

bool scales_finite_iq4_xs(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockIq4Xs>(blocks, count,
                                [](const BlockIq4Xs& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
