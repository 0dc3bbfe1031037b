#pragma once

// Types whose block is its only sub-block, with a binary16 scale `d`: the code of the scale is d itself.

#include "codec/feedback/frame.h"

namespace sluice::inline SLUICE_ISA::ldlq {

template <typename Block>
struct HalfScale {
  static constexpr std::size_t kSubBlock = Block::kWeights;

  /// The second is 1: what a row's unit is worth.
  static constexpr std::size_t kFactors = 2;
  static std::uint16_t factor(const Block& block, std::size_t i) noexcept {
    return i == 0 ? block.d : 0x3c00;
  }
  static void set_factor(Block& block, std::size_t i, std::uint16_t half) noexcept {
    if (i == 0) block.d = half;
  }

  static unsigned scale(const Block& block, std::size_t) noexcept { return block.d; }
  static void set_scale(Block& block, std::size_t, unsigned code) noexcept {
    block.d = static_cast<std::uint16_t>(code);
  }

  /// The n-th of eight scales, so many units in the last place beside the plain encoder's, 16 being
  /// 1 to 2 %.
  static Ints beside(const Ints& plain, std::size_t n) noexcept {
    constexpr std::int32_t kBeside[] = {0, 24, -24, 48, -48, 72, 96, 120};
    constexpr std::int32_t kLargest = 0x7bff;
    const Ints magnitude = plain & 0x7fff;
    const Ints other = min(max(magnitude + kBeside[n], 1), kLargest);
    // What is zero stays zero.
    const Ints any = min(magnitude, 1);
    return (plain & 0x8000) | (other & (Ints(0) - any));
  }

  /// What a code stands for, in units of the row.
  static Floats signed_scale(const Floats* factors, const Ints& code) noexcept {
    // The bits of an fp16 are those of a float that is 2^112 times too small.
    const Ints bits = simd::shift_left<13>(code & 0x7fff) | simd::shift_left<16>(code & 0x8000);
    return simd::bits_of<Floats>(bits) * 0x1p112f * factors[1];
  }
};

/// Where the range of codes is another one on either side of zero: each scale's opposite is tried too.
template <typename Block>
struct SignedHalfScale : HalfScale<Block> {
  static constexpr std::size_t candidates(Effort effort) noexcept {
    return effort == Effort::fast ? 6 : 16;
  }
  static Ints candidate(const Ints& plain, std::size_t n, Effort) noexcept {
    return HalfScale<Block>::beside(plain ^ (n % 2 == 0 ? 0 : 0x8000), n / 2);
  }
};

}  // namespace sluice::inline SLUICE_ISA::ldlq
