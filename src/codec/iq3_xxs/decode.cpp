#include "base/float16.h"
#include "codec/iq3_xxs/block.h"
#include "codec/iq3_xxs/iq3_xxs.h"
#include "codec/i_quants/codebooks.h"
#include "codec/lattice/for_each_block.h"
#include "codec/i_quants/signs.h"
#include "codec/packing/finite_scales.h"
namespace sluice::inline SLUICE_ISA {

void decode_iq3_xxs(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for_each_block<BlockIq3Xxs, 256>(blocks, out, elements, [](const BlockIq3Xxs& block, float* y) {
    const float d = f16_to_f32(block.d);
    for (unsigned group = 0; group < 64; ++group, y += 4) {
      const std::uint16_t* halves = block.signs_and_scale[group / 8];
      const std::uint32_t word = halves[0] | std::uint32_t{halves[1]} << 16;
      const float scale = d * (0.5f + static_cast<float>(word >> 28)) * 0.5f;
      const unsigned signs = expand_signs(word >> 7 * (group / 2 % 4) & 127);
      decode_signed(kIq3xxsCodebook[block.index[group]], signs >> 4 * (group % 2), scale, y);
    }
  });
}

bool scales_finite_iq3_xxs(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockIq3Xxs>(blocks, count,
                                 [](const BlockIq3Xxs& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
