#include "codec/q5_1/q5_1.h"

#include "codec/packing/finite_scales.h"
#include "codec/packing/nibbles.h"
#include "codec/scale_search/block32.h"

namespace sluice::inline SLUICE_ISA {
namespace {

constexpr int kHigh = 31;

// From a range wider by nine hundredths than the values' to one narrower by one.
constexpr AffineEffort kEffort = {-0.09f, 0.05f, 3, 0};

}  // namespace

void decode_q5_1(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t i = 0; i < elements; i += kBlock32, blocks += sizeof(BlockQ5_1)) {
    BlockQ5_1 block;
    std::memcpy(&block, blocks, sizeof block);
    const float d = f16_to_f32(block.d);
    const float m = f16_to_f32(block.m);
    std::uint8_t codes[kBlock32];
    unpack_nibbles(block.low, codes);
    add_fifth_bits(block.high, codes);
    for (int j = 0; j < kBlock32; ++j) out[i + j] = d * static_cast<float>(codes[j]) + m;
  }
}

void encode_q5_1(const EncodeRows& rows, std::byte* out) noexcept {
  encode_affine_blocks<FloatLanes, BlockQ5_1>(
      rows, out, kHigh, kEffort, [](const std::uint8_t* codes, BlockQ5_1& block) noexcept {
        pack_nibbles(codes, block.low);
        pack_fifth_bits(codes, block.high);
      });
}

bool scales_finite_q5_1(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockQ5_1>(blocks, count, [](const BlockQ5_1& block) {
    return finite_half(block.d) & finite_half(block.m);
  });
}

}  // namespace sluice::inline SLUICE_ISA
