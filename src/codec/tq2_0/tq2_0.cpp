#include "codec/tq2_0/tq2_0.h"

#include <cstring>

#include "base/float16.h"
#include "codec/packing/two_bit_planes.h"

namespace sluice::inline SLUICE_ISA {

void decode_tq2_0(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t start = 0; start < elements; start += 256, blocks += sizeof(BlockTQ2_0)) {
    BlockTQ2_0 block;
    std::memcpy(&block, blocks, sizeof block);
    const float d = f16_to_f32(block.d);
    for (int i = 0; i < 256; ++i) *out++ = static_cast<float>(two_bits(block.codes, i) - 1) * d;
  }
}

}  // namespace sluice::inline SLUICE_ISA
