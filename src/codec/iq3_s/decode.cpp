#include "base/float16.h"
#include "codec/iq3_s/block.h"
#include "codec/iq3_s/iq3_s.h"
#include "codec/i_quants/codebooks.h"
#include "codec/lattice/for_each_block.h"
#include "codec/i_quants/signs.h"
#include "codec/packing/finite_scales.h"
namespace sluice::inline SLUICE_ISA {

void decode_iq3_s(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for_each_block<BlockIq3S, 256>(blocks, out, elements, [](const BlockIq3S& block, float* y) {
    const float d = f16_to_f32(block.d);
    for (unsigned group = 0; group < 64; ++group, y += 4) {
      const unsigned l = block.scales[group / 16] >> 4 * (group / 8 % 2) & 15;
      const float scale = d * static_cast<float>(2 * l + 1);
      const unsigned index = block.low[group] | (block.high[group / 8] >> group % 8 & 1) << 8;
      decode_signed(kIq3sCodebook[index], block.signs[group / 2] >> 4 * (group % 2), scale, y);
    }
  });
}

bool scales_finite_iq3_s(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockIq3S>(blocks, count,
                               [](const BlockIq3S& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
