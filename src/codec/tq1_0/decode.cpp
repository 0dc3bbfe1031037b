#include <cstring>

#include "base/float16.h"
#include "codec/packing/finite_scales.h"
#include "codec/tq1_0/tq1_0.h"

namespace sluice::inline SLUICE_ISA {
namespace {

/// Decodes `digits` digits of each of `count` bytes; returns the next place in `out`.
float* decode_digits(const std::uint8_t* bytes, int count, int digits, float d,
                     float* out) noexcept {
  unsigned power = 1;
  for (int n = 0; n < digits; ++n, power *= 3) {
    for (int m = 0; m < count; ++m) {
      const int digit = static_cast<int>((bytes[m] * power & 255u) * 3 >> 8);
      *out++ = static_cast<float>(digit - 1) * d;
    }
  }
  return out;
}

}  // namespace

void decode_tq1_0(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t start = 0; start < elements; start += 256, blocks += sizeof(BlockTQ1_0)) {
    BlockTQ1_0 block;
    std::memcpy(&block, blocks, sizeof block);
    const float d = f16_to_f32(block.d);
    out = decode_digits(block.digits, 32, 5, d, out);
    out = decode_digits(block.digits + 32, 16, 5, d, out);
    out = decode_digits(block.last, 4, 4, d, out);
  }
}

bool scales_finite_tq1_0(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockTQ1_0>(blocks, count,
                                [](const BlockTQ1_0& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
