#include "base/float16.h"
#include "codec/iq6_k/block.h"
#include "codec/iq6_k/iq6_k.h"
#include "codec/lattice/for_each_block.h"
#include "codec/lattice/levels.h"
#include "codec/packing/finite_scales.h"
namespace sluice::inline SLUICE_ISA {

void decode_iq6_k(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for_each_block<BlockIq6K, 256>(blocks, out, elements, [](const BlockIq6K& block, float* y) {
    const float d = f16_to_f32(block.d);
    for (unsigned b = 0; b < 16; ++b) {
      const float scale = d * static_cast<float>(block.scale(b));
      const auto& levels = kIq6kLevels[block.extra >> b & 1];
      for (unsigned j = 0; j < 16; ++j) *y++ = scale * levels[block.code(b, j)];
    }
  });
}

bool scales_finite_iq6_k(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockIq6K>(blocks, count,
                               [](const BlockIq6K& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
