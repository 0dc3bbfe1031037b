#pragma once

// What vectors of IQ1_M and IQ1_S hold, for NEON: made of bytes, of 16 vectors at once.

#if defined(SLUICE_NEON)

#include <arm_neon.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "codec/i_quants/iq1_codebook.h"
#include "codec/i_quants/iq1_search.h"

namespace sluice::inline SLUICE_ISA::iq1 {
namespace {

using Short = simd::Machine::Short;
using Bytes = int8x16_t;

SLUICE_INLINE Short splat(int value) noexcept {
  return vdupq_n_s16(static_cast<std::int16_t>(value));
}

/// The flags of the first four coordinates of 16 vectors, and of the others: see kFlagsOfFour.
struct FlagBytes {
  uint8x16_t of[2];

  SLUICE_INLINE FlagBytes(const Short& first, const Short& last) noexcept {
    // number / 81, exact for all numbers: 25891 / 2^21 is 1 / 81 and 1.1e-7 more.
    const Short above[2] = {vqdmulhq_n_s16(first, 25891) >> 6, vqdmulhq_n_s16(last, 25891) >> 6};
    const Short below[2] = {vmlsq_n_s16(first, above[0], 81), vmlsq_n_s16(last, above[1], 81)};
    of[0] = flags(vuzp1q_s8(Bytes(below[0]), Bytes(below[1])));
    of[1] = flags(vuzp1q_s8(Bytes(above[0]), Bytes(above[1])));
  }

 private:
  static SLUICE_INLINE uint8x16_t flags(const Bytes& numbers) noexcept {
    return uint8x16_t(kFlagsOfFour.look_up(simd::Part<std::int16_t>(Short(numbers))).part[0]);
  }
};

/// The upper halves of floats, of which the lower are zeros, by bytes: what two coordinates decode to, by
/// their four flags and, above them, whether the shift is -1/8.
struct CodeBytes {
  std::uint8_t low[2][32]{};
  std::uint8_t high[2][32]{};

  constexpr CodeBytes() noexcept {
    for (unsigned n = 0; n < 32; ++n) {
      for (unsigned j = 0; j < 2; ++j) {
        const unsigned flags = n >> (2 * j);
        const float code = flags & 1 ? 1.0f : flags & 2 ? -1.0f : 0.0f;
        const auto bits = std::bit_cast<std::uint32_t>(code + (n < 16 ? kIq1Delta : -kIq1Delta));
        low[j][n] = static_cast<std::uint8_t>(bits >> 16);
        high[j][n] = static_cast<std::uint8_t>(bits >> 24);
      }
    }
  }
};
constexpr CodeBytes kCodeBytes;

/// Sums over each group's y, which its choice decodes to at scale 1: wx y, q x y and q y^2.
inline void sum_products(const SuperBlock& block, const GroupFloats* q, const Shorts& choice,
                         GroupFloats& xy, GroupFloats& qxy, GroupFloats& qyy) noexcept {
  constexpr std::size_t kQuarters = 4;  // registers of floats that 16 groups fill
#pragma GCC unroll 1
  for (std::size_t part = 0; part < Shorts::kParts; part += 2) {
    const Short codes[2] = {choice.part[part], choice.part[part + 1]};
    const Short numbers = splat(kNegativeShift - 1);
    const FlagBytes flags(codes[0] & numbers, codes[1] & numbers);
    static_assert(kNegativeShift == 0x20 << 8);
    const uint8x16_t negative = vuzp2q_u8(uint8x16_t(codes[0]), uint8x16_t(codes[1])) >> 5;
    float32x4_t sum_xy[kQuarters]{};
    float32x4_t sum_qxy[kQuarters]{};
    float32x4_t sum_qyy[kQuarters]{};
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kWidth; ++j) {
      const uint8x16_t four = flags.of[j / 4];
      const uint8x16_t at = vsliq_n_u8(j % 4 < 2 ? four : four >> 4, negative, 4);
      const uint8x16_t bytes[2] = {vqtbl2q_u8(vld1q_u8_x2(kCodeBytes.low[j % 2]), at),
                                   vqtbl2q_u8(vld1q_u8_x2(kCodeBytes.high[j % 2]), at)};
      const uint16x8_t upper[2] = {uint16x8_t(vzip1q_u8(bytes[0], bytes[1])),
                                   uint16x8_t(vzip2q_u8(bytes[0], bytes[1]))};
#pragma GCC unroll 2
      for (std::size_t half = 0; half < kQuarters; half += 2) {
        const uint16x8_t& halves = upper[half / 2];
        const float32x4_t y[2] = {float32x4_t(vshll_n_u16(vget_low_u16(halves), 16)),
                                  float32x4_t(vshll_high_n_u16(halves, 16))};
#pragma GCC unroll 2
        for (std::size_t i = 0; i < 2; ++i) {
          const std::size_t column = 2 * part + half + i;
          const float32x4_t qy = q[j].part[column] * y[i];
          sum_xy[half + i] += block.wx[j].part[column] * y[i];
          sum_qxy[half + i] += qy * block.groups.x[j].part[column];
          sum_qyy[half + i] += qy * y[i];
        }
        // One after the other, or g++ puts some aside until it has no registers.
        __asm__ volatile(""
                         : "+w"(sum_xy[half]), "+w"(sum_qxy[half]), "+w"(sum_qyy[half]),
                           "+w"(sum_xy[half + 1]), "+w"(sum_qxy[half + 1]),
                           "+w"(sum_qyy[half + 1]));
      }
    }
#pragma GCC unroll 4
    for (std::size_t quarter = 0; quarter < kQuarters; ++quarter) {
      xy.part[2 * part + quarter] = sum_xy[quarter];
      qxy.part[2 * part + quarter] = sum_qxy[quarter];
      qyy.part[2 * part + quarter] = sum_qyy[quarter];
    }
  }
}

}  // namespace
}  // namespace sluice::inline SLUICE_ISA::iq1

#endif
