#include <bit>
#include <cstring>

#include "codec/mxfp4/mxfp4.h"
#include "codec/packing/e2m1.h"
#include "codec/packing/finite_scales.h"

namespace sluice::inline SLUICE_ISA {
namespace {

/// 2^(exponent - 128), half of the block's scale since the table holds twice the values. The two
/// smallest are denormal. 255, which the specification reserves for NaN, is a number to readers.
float half_scale(unsigned exponent) noexcept {
  return std::bit_cast<float>(exponent < 2 ? 0x00200000u << exponent : (exponent - 1) << 23);
}

}  // namespace

void decode_mxfp4(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t i = 0; i < elements; i += 32, blocks += sizeof(BlockMXFP4)) {
    BlockMXFP4 block;
    std::memcpy(&block, blocks, sizeof block);
    const float scale = half_scale(block.exponent);
    for (std::size_t j = 0; j < 16; ++j) {
      out[i + j] = static_cast<float>(kTwiceE2M1[block.codes[j] & 15]) * scale;
      out[i + j + 16] = static_cast<float>(kTwiceE2M1[block.codes[j] >> 4]) * scale;
    }
  }
}

bool scales_finite_mxfp4(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockMXFP4>(blocks, count,
                                [](const BlockMXFP4& block) { return block.exponent != 0xff; });
}

}  // namespace sluice::inline SLUICE_ISA
