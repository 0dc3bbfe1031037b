#pragma once

// The backend of NEON, which every aarch64 has: registers of 128 bits, tables of up to four of them
// looked up by bytes.

#include <arm_neon.h>

#include "simd/vector.h"

namespace sluice::inline SLUICE_ISA::simd {

struct Neon : Vectors<16> {
  static constexpr std::size_t kLookUpFloats = 16;

  using Vectors<16>::min;
  using Vectors<16>::max;
  // Of floats the minimum as we have it (see lanes.h) is a comparison and a selection: the
  // instruction treats NaN and zeros otherwise.
  static SLUICE_INLINE Int min(Int a, Int b) noexcept { return vminq_s32(a, b); }
  static SLUICE_INLINE Int max(Int a, Int b) noexcept { return vmaxq_s32(a, b); }
  static SLUICE_INLINE Short min(Short a, Short b) noexcept { return vminq_s16(a, b); }
  static SLUICE_INLINE Short max(Short a, Short b) noexcept { return vmaxq_s16(a, b); }

  static SLUICE_INLINE Float abs(Float a) noexcept { return vabsq_f32(a); }
  /// That of -2^15 is itself.
  static SLUICE_INLINE Short abs(Short a) noexcept { return vabsq_s16(a); }
  static SLUICE_INLINE Float sqrt(Float a) noexcept { return vsqrtq_f32(a); }
  static SLUICE_INLINE Float round(Float a) noexcept { return vrndnq_f32(a); }
  static SLUICE_INLINE Float truncate(Float a) noexcept { return vrndq_f32(a); }
  static SLUICE_INLINE Float fused_multiply_add(Float a, Float b, Float c) noexcept {
    return vfmaq_f32(c, a, b);
  }
  static SLUICE_INLINE Register<double> to_double(Float a, std::size_t half) noexcept {
    return half == 0 ? vcvt_f64_f32(vget_low_f32(a)) : vcvt_high_f64_f32(a);
  }

  static SLUICE_INLINE Short add_saturated(Short a, Short b) noexcept { return vqaddq_s16(a, b); }
  static SLUICE_INLINE Short pack_saturated(Int a, Int b) noexcept {
    return vcombine_s16(vqmovn_s32(a), vqmovn_s32(b));
  }
  static SLUICE_INLINE Short multiply_high(Short a, Short b) noexcept {
    return vuzp2q_s16((int16x8_t)vmull_s16(vget_low_s16(a), vget_low_s16(b)),
                      (int16x8_t)vmull_high_s16(a, b));
  }
  static SLUICE_INLINE Short multiply_high_unsigned(Short a, Short b) noexcept {
    const uint16x8_t x = (uint16x8_t)a;
    const uint16x8_t y = (uint16x8_t)b;
    return (Short)vuzp2q_u16((uint16x8_t)vmull_u16(vget_low_u16(x), vget_low_u16(y)),
                             (uint16x8_t)vmull_high_u16(x, y));
  }
  static SLUICE_INLINE Short multiply_fractions(Short a, Short b) noexcept {
    return vqrdmulhq_s16(a, b);
  }
  static SLUICE_INLINE Int accumulate_products(Int sum, Short a, Short b) noexcept {
    return sum + vpaddq_s32(vmull_s16(vget_low_s16(a), vget_low_s16(b)), vmull_high_s16(a, b));
  }
  static SLUICE_INLINE Short append_sign(Short a, Short b) noexcept {
    return (Short)vsraq_n_u16((uint16x8_t)(a + a), (uint16x8_t)b, 15);
  }
  static SLUICE_INLINE Short any_bit(Short a, int bits) noexcept {
    return (Short)vtstq_s16(a, vdupq_n_s16(static_cast<std::int16_t>(bits)));
  }

  /// Up to sixteen entries are one look-up; of more, one that leaves what is beyond its table's ends.
  template <std::size_t kEntries>
  static SLUICE_INLINE Float look_up(const float (&table)[kEntries], Int index) noexcept {
    return (Float)look_up_words<kEntries>(table, index);
  }
  template <std::size_t kEntries>
  static SLUICE_INLINE Int look_up(const std::int32_t (&table)[kEntries], Int index) noexcept {
    return (Int)look_up_words<kEntries>(table, index);
  }

  /// Bytes of a table of 64 or 128.
  template <std::size_t kSize>
  static SLUICE_INLINE Short look_up_bytes(const std::uint8_t* table, Short index) noexcept {
    const uint8x16_t at = (uint8x16_t)index;
    const uint8x16_t low = vqtbl4q_u8(vld1q_u8_x4(table), at);
    if constexpr (kSize == 64) return (Short)low;
    return (Short)vqtbx4q_u8(low, vld1q_u8_x4(table + 64), at - 64);
  }

  static SLUICE_INLINE void load_bytes(const std::uint8_t* from, Int* to) noexcept {
    const uint8x16_t bytes = vld1q_u8(from);
    const uint16x8_t low = vmovl_u8(vget_low_u8(bytes));
    const uint16x8_t high = vmovl_high_u8(bytes);
    to[0] = (Int)vmovl_u16(vget_low_u16(low));
    to[1] = (Int)vmovl_high_u16(low);
    to[2] = (Int)vmovl_u16(vget_low_u16(high));
    to[3] = (Int)vmovl_high_u16(high);
  }
  static SLUICE_INLINE void store_bytes(std::uint8_t* to, Int integers) noexcept {
    const uint8x16_t bytes = (uint8x16_t)integers;
    const uint8x16_t halves = vuzp1q_u8(bytes, bytes);
    vst1q_lane_u32(reinterpret_cast<std::uint32_t*>(to), (uint32x4_t)vuzp1q_u8(halves, halves), 0);
  }
  static SLUICE_INLINE void store_bytes(std::uint8_t* to, const Int (&integers)[4]) noexcept {
    vst1q_u8(to, low_bytes(integers));
  }

  template <typename Wide, typename Narrow>
  static SLUICE_INLINE void narrow(const Wide* low, const Wide* high, Narrow* to) noexcept {
    for (std::size_t i = 0; i < 2; ++i) {
      to[i] = vuzp1q_s16((int16x8_t)low[2 * i], (int16x8_t)low[2 * i + 1]);
      to[i + 2] = vuzp1q_s16((int16x8_t)high[2 * i], (int16x8_t)high[2 * i + 1]);
    }
  }
  template <typename Narrow, typename Wide>
  static SLUICE_INLINE void widen(const Narrow* from, std::size_t half, Wide* to) noexcept {
    for (std::size_t i = 0; i < 2; ++i) {
      const int16x8_t lanes = from[2 * half + i];
      to[2 * i] = vmovl_s16(vget_low_s16(lanes));
      to[2 * i + 1] = vmovl_high_s16(lanes);
    }
  }
  static SLUICE_INLINE unsigned to_bits(const Int* mask) noexcept {
    constexpr uint8x16_t kBit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bits = low_bytes(mask) & kBit;
    for (int times = 0; times < 3; ++times) bits = vpaddq_u8(bits, bits);
    return vgetq_lane_u16((uint16x8_t)bits, 0);
  }

 private:
  /// The lowest bytes of the lanes of four registers.
  static SLUICE_INLINE uint8x16_t low_bytes(const Int* integers) noexcept {
    return vuzp1q_u8((uint8x16_t)vuzp1q_s16((int16x8_t)integers[0], (int16x8_t)integers[1]),
                     (uint8x16_t)vuzp1q_s16((int16x8_t)integers[2], (int16x8_t)integers[3]));
  }

  template <std::size_t kEntries>
  static SLUICE_INLINE uint8x16_t look_up_words(const void* table, Int index) noexcept {
    static_assert(kEntries >= 4 && kEntries <= 64 && (kEntries & (kEntries - 1)) == 0);
    const auto* const bytes = static_cast<const std::uint8_t*>(table);
    // The four bytes of entry i are bytes 4i to 4i + 3.
    const uint32x4_t entry = (uint32x4_t)(index & static_cast<int>(kEntries - 1));
    const uint8x16_t at = (uint8x16_t)vmlaq_n_u32(vdupq_n_u32(0x03020100), entry, 0x04040404);
    if constexpr (kEntries == 4) {
      return vqtbl1q_u8(vld1q_u8(bytes), at);
    } else if constexpr (kEntries == 8) {
      return vqtbl2q_u8(vld1q_u8_x2(bytes), at);
    } else {
      uint8x16_t found = vqtbl4q_u8(vld1q_u8_x4(bytes), at);
      for (std::size_t from = 64; from < 4 * kEntries; from += 64) {
        found = vqtbx4q_u8(found, vld1q_u8_x4(bytes + from), at - static_cast<std::uint8_t>(from));
      }
      return found;
    }
  }
};

}  // namespace sluice::inline SLUICE_ISA::simd
