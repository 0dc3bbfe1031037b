#include "codec/q6_0/q6_0.h"

#include "codec/packing/nibbles.h"
#include "codec/scale_search/block32.h"

namespace sluice::inline SLUICE_ISA {
namespace {

// Where the upper two bits of code j are in byte j % 8 of `high`.
constexpr int shift_of(int j) {
  return j / 16 * 2 + j / 8 % 2 * 4;
}

constexpr float kLow = -32.0f;
constexpr float kHigh = 31.0f;

// Inverse scales from 24 to 35.5 codes for the largest magnitude.
constexpr SymmetricEffort kEffort = {-8.0f, 0.5f, 24, 1};

}  // namespace

void decode_q6_0(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t i = 0; i < elements; i += kBlock32, blocks += sizeof(BlockQ6_0)) {
    BlockQ6_0 block;
    std::memcpy(&block, blocks, sizeof block);
    const float d = f16_to_f32(block.d);
    std::uint8_t codes[kBlock32];
    unpack_nibbles(block.low, codes);
    for (int j = 0; j < kBlock32; ++j) {
      codes[j] = static_cast<std::uint8_t>(codes[j] | (block.high[j % 8] >> shift_of(j) & 3) << 4);
    }
    for (int j = 0; j < kBlock32; ++j) out[i + j] = d * (static_cast<float>(codes[j]) + kLow);
  }
}

void encode_q6_0(const EncodeRows& rows, std::byte* out) noexcept {
  encode_symmetric_blocks<FloatLanes, BlockQ6_0>(
      rows, out, kLow, kHigh, kEffort, [](const std::uint8_t* codes, BlockQ6_0& block) {
        pack_nibbles(codes, block.low);
        unsigned high[8] = {};
        for (int j = 0; j < kBlock32; ++j) high[j % 8] |= (codes[j] >> 4 & 3u) << shift_of(j);
        for (int j = 0; j < 8; ++j) block.high[j] = static_cast<std::uint8_t>(high[j]);
      });
}

}  // namespace sluice::inline SLUICE_ISA
