#pragma once

#include "codec/k_quants/symmetric_search.h"
#include "codec/packing.h"

namespace sluice::inline SLUICE_ISA {

/// 256 weights in 210 bytes, 6.5625 bits a weight: 16 sub-blocks of 16, each with a signed scale; a
/// weight is d * scale * (code - 32), codes of [0, 63].
struct BlockQ6_K {
  /// The low four bits of the codes: byte 64 * h + l holds those of weight 128 * h + l in its low
  /// half and those of the weight 64 further on in its high half.
  std::uint8_t low[128];
  std::uint8_t high[64];  ///< the upper two bits, see pack_two_bits()
  std::int8_t scales[16];
  std::uint16_t d;  ///< binary16

  static constexpr std::size_t kWeights = kSuperBlock;
  // Inverse scales from 25 to 32 codes for the largest magnitude.
  static constexpr SymmetricSettings kSettings = {
      .low = -32, .lowest = -128, .effort = {-7.0f, 1.0f, 8, 0, 0}};

  bool finite() const noexcept { return finite_half(d); }

  void decode(float* out) const noexcept {
    const float unit = f16_to_f32(d);
    std::uint8_t codes[256];
    for (int half = 0; half < 2; ++half) {
      for (int l = 0; l < 32; l += kRunBytes) {
        const RunBytes first = load_run(low + 64 * half + l);
        const RunBytes second = load_run(low + 64 * half + 32 + l);
        const RunBytes upper = load_run(high + 32 * half + l);
        std::uint8_t* const to = codes + 128 * half + l;
        store_run(to, (first & 15) | (upper << 4 & 48));
        store_run(to + 32, (second & 15) | (upper << 2 & 48));
        store_run(to + 64, first >> 4 | (upper & 48));
        store_run(to + 96, second >> 4 | (upper >> 2 & 48));
      }
    }
    for (int s = 0; s < 16; ++s) {
      const simd::Ints code = simd::load_bytes(codes + 16 * s) - 32;
      (unit * static_cast<float>(scales[s]) * simd::to_floats(code)).store(out + 16 * s);
    }
  }

  void set(const SymmetricSuperBlock& found) noexcept {
    std::uint8_t upper[256];
    for (int i = 0; i < 256; ++i) upper[i] = found.codes[i] >> 4;
    pack_nibbles<64>(found.codes, low, kSuperBlock);
    pack_two_bits(upper, high);
    std::memcpy(scales, found.scales, sizeof scales);
    d = found.d;
  }

  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_super_blocks<BlockQ6_K, FineSearch>(rows, out, kSettings);
  }
};
static_assert(sizeof(BlockQ6_K) == 210);

}  // namespace sluice::inline SLUICE_ISA
