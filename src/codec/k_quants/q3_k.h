#pragma once

#include "codec/k_quants/symmetric_search.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// 256 weights in 110 bytes, 3.4375 bits a weight: 16 sub-blocks of 16, each with a scale of six
/// bits; a weight is d * (scale - 32) * (code - 4), codes of [0, 7].
struct BlockQ3_K {
  std::uint8_t high[32];  ///< bit i / 32 of byte i % 32: the third bit of code i
  std::uint8_t low[64];   ///< the low two bits, see pack_two_bits()
  /// Bytes 0 to 7 hold the low four bits of scales 0 to 7 in their low halves and those of scales 8
  /// to 15 in their high halves. Byte 8 + b holds the upper two bits of scales b, b + 4, b + 8 and
  /// b + 12, lowest bits first.
  std::uint8_t scales[12];
  std::uint16_t d;  ///< binary16

  static constexpr std::size_t kWeights = kSuperBlock;
  // Inverse scales from 3 to 6.2 codes for the largest magnitude, of both signs. Scales that cut it
  // off are the better ones more often than not. The mean counts as in the peers' Q3_K.
  static constexpr SymmetricSettings kBest = {.low = -4,
                                              .lowest = -32,
                                              .effort = {-1.0f, 0.4f, 9, 0, 1},
                                              .rounds = 1,
                                              .reach = 1,
                                              .mean_share = 2};
  static constexpr SymmetricSettings kFast = {
      .low = -4, .lowest = -32, .effort = {-0.8f, 0.8f, 5, 0, 1}, .mean_share = 2};

  bool finite() const noexcept { return finite_half(d); }

  void decode(float* out) const noexcept {
    const float unit = f16_to_f32(d);
    std::uint8_t codes[256];
    for (int half = 0; half < 2; ++half) {
      for (int l = 0; l < 32; l += kRunBytes) {
        const RunBytes two = load_run(low + 32 * half + l);
        RunBytes third = load_run(high + l);
        if (half == 1) third = third >> 4;
        std::uint8_t* const to = codes + 128 * half + l;
        store_run(to, (two & 3) | (third << 2 & 4));
        store_run(to + 32, (two >> 2 & 3) | (third << 1 & 4));
        store_run(to + 64, (two >> 4 & 3) | (third & 4));
        store_run(to + 96, two >> 6 | (third >> 1 & 4));
      }
    }
    for (int s = 0; s < 16; ++s) {
      const simd::Ints code = simd::load_bytes(codes + 16 * s) - 4;
      (unit * static_cast<float>(scale(s)) * simd::to_floats(code)).store(out + 16 * s);
    }
  }

  void set(const SymmetricSuperBlock& found) noexcept {
    for (int s = 0; s < 16; ++s) set_scale(s, found.scales[s]);
    pack_two_bits(found.codes, low);
    for (int l = 0; l < 32; ++l) {
      int bits = 0;
      for (int run = 0; run < 8; ++run) bits |= found.codes[32 * run + l] >> 2 << run;
      high[l] = static_cast<std::uint8_t>(bits);
    }
    d = found.d;
  }

  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_super_blocks<BlockQ3_K, CoarseSearch>(rows, out,
                                                 rows.effort == Effort::fast ? kFast : kBest);
  }

  /// Of [-32, 31].
  int scale(int s) const noexcept {
    const int low_bits = scales[s % 8] >> (s / 8 * 4) & 15;
    const int high_bits = scales[8 + s % 4] >> (s / 4 * 2) & 3;
    return (low_bits | high_bits << 4) - 32;
  }

  void set_scale(int s, int value) noexcept {
    const int biased = value + 32;
    const int low_place = s / 8 * 4;
    const int high_place = s / 4 * 2;
    std::uint8_t& low_bits = scales[s % 8];
    std::uint8_t& high_bits = scales[8 + s % 4];
    low_bits =
        static_cast<std::uint8_t>((low_bits & ~(15 << low_place)) | (biased & 15) << low_place);
    high_bits =
        static_cast<std::uint8_t>((high_bits & ~(3 << high_place)) | biased >> 4 << high_place);
  }
};
static_assert(sizeof(BlockQ3_K) == 110);

}  // namespace sluice::inline SLUICE_ISA
