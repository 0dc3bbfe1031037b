#include "base/float16.h"
#include "codec/iq2_xxs/block.h"
#include "codec/iq2_xxs/iq2_xxs.h"
#include "codec/i_quants/codebooks.h"
#include "codec/lattice/for_each_block.h"
#include "codec/i_quants/signs.h"
#include "codec/packing/finite_scales.h"
namespace sluice::inline SLUICE_ISA {

void decode_iq2_xxs(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for_each_block<BlockIq2Xxs, 256>(blocks, out, elements, [](const BlockIq2Xxs& block, float* y) {
    const float d = f16_to_f32(block.d);
    for (const BlockIq2Xxs::SubBlock& sub_block : block.sub_block) {
      const std::uint32_t word =
          sub_block.signs_and_scale[0] | std::uint32_t{sub_block.signs_and_scale[1]} << 16;
      const float scale = d * (0.5f + static_cast<float>(word >> 28)) * 0.25f;
      for (unsigned group = 0; group < 4; ++group, y += 8) {
        decode_signed(kIq2xxsCodebook[sub_block.index[group]],
                      expand_signs(word >> 7 * group & 127), scale, y);
      }
    }
  });
}

bool scales_finite_iq2_xxs(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockIq2Xxs>(blocks, count,
                                 [](const BlockIq2Xxs& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
