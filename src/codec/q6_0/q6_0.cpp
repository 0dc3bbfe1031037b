#include "codec/q6_0/q6_0.h"

#include "codec/packing/finite_scales.h"
#include "codec/packing/nibbles.h"
#include "codec/scale_search/block32.h"

namespace sluice::inline SLUICE_ISA {
namespace {

// The upper two bits of codes 8 * run to 8 * run + 7 are in the eight bytes of `high` from bit
// kShift[run] on.
constexpr int kShift[4] = {0, 4, 2, 6};
constexpr std::uint64_t kTwoBits = 0x0303030303030303;  // of each of eight bytes

constexpr int kLow = -32;
constexpr int kHigh = 31;

// Inverse scales from 24 to 33 codes for the largest magnitude.
constexpr SymmetricEffort kEffort = {-8.0f, 1.0f, 10, 1, 0};

}  // namespace

void decode_q6_0(const std::byte* blocks, float* out, std::size_t elements) noexcept {
  for (std::size_t i = 0; i < elements; i += kBlock32, blocks += sizeof(BlockQ6_0)) {
    BlockQ6_0 block;
    std::memcpy(&block, blocks, sizeof block);
    const float d = f16_to_f32(block.d);
    std::uint8_t codes[kBlock32];
    unpack_nibbles(block.low, codes);
    std::uint64_t high;
    std::memcpy(&high, block.high, sizeof high);
    for (int run = 0; run < 4; ++run) {
      std::uint64_t eight;
      std::memcpy(&eight, codes + 8 * run, sizeof eight);
      eight |= (high >> kShift[run] & kTwoBits) << 4;
      std::memcpy(codes + 8 * run, &eight, sizeof eight);
    }
    for (int j = 0; j < kBlock32; ++j) out[i + j] = d * static_cast<float>(codes[j] + kLow);
  }
}

void encode_q6_0(const EncodeRows& rows, std::byte* out) noexcept {
  encode_symmetric_blocks<FloatLanes, BlockQ6_0>(
      rows, out, kLow, kHigh, kEffort, [](const std::uint8_t* codes, BlockQ6_0& block) noexcept {
        pack_nibbles(codes, block.low);
        std::uint64_t high = 0;
        for (int run = 0; run < 4; ++run) {
          std::uint64_t eight;
          std::memcpy(&eight, codes + 8 * run, sizeof eight);
          high |= (eight >> 4 & kTwoBits) << kShift[run];
        }
        std::memcpy(block.high, &high, sizeof high);
      });
}

bool scales_finite_q6_0(const std::byte* blocks, std::size_t count) noexcept {
  return all_blocks<BlockQ6_0>(blocks, count,
                               [](const BlockQ6_0& block) { return finite_half(block.d); });
}

}  // namespace sluice::inline SLUICE_ISA
