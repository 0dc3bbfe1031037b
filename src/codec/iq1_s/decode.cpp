#include "base/float16.h"
#include "codec/iq1_s/block.h"
#include "codec/iq1_s/iq1_s.h"
#include "codec/lattice/codebooks.h"
#include "codec/lattice/for_each_block.h"
#include "codec/packing/finite_scales.h"
namespace sluice::inline SLUICE_ISA {

void decode_iq1_s(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for_each_block<BlockIq1S, 256>(blocks, out, elements, [](const BlockIq1S& block, float* y) {
    const float d = f16_to_f32(block.d);
    for (unsigned group = 0; group < 32; ++group) {
      const unsigned word = block.high[group / 4];
      const float scale = d * static_cast<float>(2 * (word >> 12 & 7) + 1);
      const float shift = word & 0x8000u ? -kIq1Delta : kIq1Delta;
      const unsigned index = block.low[group] | (word >> 3 * (group % 4) & 7) << 8;
      for (const std::int8_t entry : kIq1sCodebook[index]) {
        *y++ = scale * (static_cast<float>(entry) + shift);
      }
    }
  });
}

bool scales_finite_iq1_s(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockIq1S>(blocks, count,
                               [](const BlockIq1S& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
