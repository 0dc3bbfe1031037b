#include "codec/q4_0/q4_0.h"

#include "codec/packing/finite_scales.h"
#include "codec/packing/nibbles.h"
#include "codec/scale_search/block32.h"

namespace sluice::inline SLUICE_ISA {
namespace {

constexpr int kLow = -8;
constexpr int kHigh = 7;

// Inverse scales from 6.6 to 10.6 codes for the largest magnitude.
constexpr SymmetricEffort kEffort = {-1.4f, 0.5f, 9, 1, 2};

}  // namespace

void decode_q4_0(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t i = 0; i < elements; i += kBlock32, blocks += sizeof(BlockQ4_0)) {
    BlockQ4_0 block;
    std::memcpy(&block, blocks, sizeof block);
    const float d = f16_to_f32(block.d);
    std::uint8_t codes[kBlock32];
    unpack_nibbles(block.codes, codes);
    for (int j = 0; j < kBlock32; ++j) out[i + j] = d * static_cast<float>(codes[j] + kLow);
  }
}

void encode_q4_0(const EncodeRows& rows, std::byte* out) noexcept {
  encode_symmetric_blocks<FloatLanes, BlockQ4_0>(
      rows, out, kLow, kHigh, kEffort, [](const std::uint8_t* codes, BlockQ4_0& block) noexcept {
        pack_nibbles(codes, block.codes);
      });
}

bool scales_finite_q4_0(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockQ4_0>(blocks, count,
                               [](const BlockQ4_0& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
