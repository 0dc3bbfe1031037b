#include "base/float16.h"
#include "codec/iq2_xs/block.h"
#include "codec/iq2_xs/iq2_xs.h"
#include "codec/i_quants/codebooks.h"
#include "codec/lattice/for_each_block.h"
#include "codec/i_quants/signs.h"
#include "codec/packing/finite_scales.h"
namespace sluice::inline SLUICE_ISA {

void decode_iq2_xs(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for_each_block<BlockIq2Xs, 256>(blocks, out, elements, [](const BlockIq2Xs& block, float* y) {
    const float d = f16_to_f32(block.d);
    for (unsigned group = 0; group < 32; ++group, y += 8) {
      const unsigned l = block.scales[group / 4] >> 4 * (group / 2 % 2) & 15;
      const float scale = d * (0.5f + static_cast<float>(l)) * 0.25f;
      decode_signed(kIq2xsCodebook[block.code[group] & 511u], expand_signs(block.code[group] >> 9),
                    scale, y);
    }
  });
}

bool scales_finite_iq2_xs(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockIq2Xs>(blocks, count,
                                [](const BlockIq2Xs& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
