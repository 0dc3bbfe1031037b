#include "codec/q5_0/q5_0.h"

#include "codec/packing/finite_scales.h"
#include "codec/packing/nibbles.h"
#include "codec/scale_search/block32.h"

namespace sluice::inline SLUICE_ISA {
namespace {

constexpr int kLow = -16;
constexpr int kHigh = 15;

// Inverse scales from 13 to 17.5 codes for the largest magnitude.
constexpr SymmetricEffort kEffort = {-3.0f, 0.5f, 10, 1, 0};

}  // namespace

void decode_q5_0(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t i = 0; i < elements; i += kBlock32, blocks += sizeof(BlockQ5_0)) {
    BlockQ5_0 block;
    std::memcpy(&block, blocks, sizeof block);
    const float d = f16_to_f32(block.d);
    std::uint8_t codes[kBlock32];
    unpack_nibbles(block.low, codes);
    add_fifth_bits(block.high, codes);
    for (int j = 0; j < kBlock32; ++j) out[i + j] = d * static_cast<float>(codes[j] + kLow);
  }
}

void encode_q5_0(const EncodeRows& rows, std::byte* out) noexcept {
  encode_symmetric_blocks<FloatLanes, BlockQ5_0>(
      rows, out, kLow, kHigh, kEffort, [](const std::uint8_t* codes, BlockQ5_0& block) noexcept {
        pack_nibbles(codes, block.low);
        pack_fifth_bits(codes, block.high);
      });
}

bool scales_finite_q5_0(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockQ5_0>(blocks, count,
                               [](const BlockQ5_0& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
