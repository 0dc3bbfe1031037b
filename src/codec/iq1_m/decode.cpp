#include "base/float16.h"
#include "codec/iq1_m/block.h"
#include "codec/iq1_m/iq1_m.h"
#include "codec/lattice/codebooks.h"
#include "codec/packing/finite_scales.h"

namespace sluice::inline SLUICE_ISA {

void decode_iq1_m(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  const auto* block = reinterpret_cast<const BlockIq1M*>(blocks);
  const auto* end = block + elements / BlockIq1M::kElements;
  for (; block != end; ++block) {
    const float d = f16_to_f32(block->d());
    for (std::size_t group = 0; group < BlockIq1M::kGroups; ++group) {
      const float scale = d * static_cast<float>(2 * block->scale(group / 2) + 1);
      const float shift = block->negative_shift(group) ? -kIq1Delta : kIq1Delta;
      for (const std::int8_t code : kIq1sCodebook[block->index(group)]) {
        *out++ = scale * (static_cast<float>(code) + shift);
      }
    }
  }
}

bool scales_finite_iq1_m(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockIq1M>(blocks, count,
                               [](const BlockIq1M& block) { return finite_half(block.d()); });
}

}  // namespace sluice::inline SLUICE_ISA
