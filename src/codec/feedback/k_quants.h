#pragma once

// Feedback for types whose codes are numbers, each for a weight of its own: a group is one column, and
// a code the number nearest to what the errors of all columns before it ask for.

#include "codec/feedback/kernel.h"

namespace sluice::inline SLUICE_ISA::ldlq {

/// A scale and how far from zero it begins: code c stands for step * c - offset.
struct Line {
  Floats step;
  Floats per_step;
  Floats offset;

  Line() = default;
  Line(const Floats& s, const Floats& o) noexcept
      : step(s), per_step(reciprocal_or_zero(s)), offset(o) {}
};

/// What a type of one number a weight says of its groups.
template <std::size_t kSubBlockOf, int kHigh>
struct NumberCodes {
  static constexpr std::size_t kSubBlock = kSubBlockOf;
  static constexpr std::size_t kGroup = 1;
  static constexpr std::size_t kTogether = 5;
  static constexpr std::size_t kAlternatives = 1;

  using Scale = Line;
  struct Group {
    explicit Group(const float (&)[1]) noexcept {}
    void nearest(const Line (&line)[kTogether], const Floats (&target)[kTogether][1],
                 Option<1> (&options)[1][kTogether]) const noexcept {
      for (std::size_t k = 0; k < kTogether; ++k) {
        const Line& l = line[k];
        const Floats code =
            round(clamp((target[k][0] + l.offset) * l.per_step, 0.0f, static_cast<float>(kHigh)));
        options[0][k].code = to_ints(code);
        options[0][k].decoded[0] = l.step * code - l.offset;
      }
    }
  };
};

/// Types of d * scale * code - dmin * min. A scale code is the two numbers, the min above bit 8.
template <typename BlockOf, std::size_t kSubBlock, int kHigh, int kLargest>
struct AffineType : NumberCodes<kSubBlock, kHigh> {
  using Block = BlockOf;
  static constexpr std::size_t kFactors = 2;

  static std::uint16_t factor(const Block& block, std::size_t i) noexcept {
    return i == 0 ? block.d : block.dmin;
  }
  static void set_factor(Block& block, std::size_t i, std::uint16_t half) noexcept {
    (i == 0 ? block.d : block.dmin) = half;
  }

  /// So many scales and mins are tried, in the middle of which are the plain encoder's.
  static constexpr std::size_t numbers(Effort effort) noexcept {
    return effort == Effort::fast ? 3 : 5;
  }
  static constexpr std::size_t candidates(Effort effort) noexcept {
    return numbers(effort) * numbers(effort);
  }
  static Ints candidate(const Ints& plain, std::size_t n, Effort effort) noexcept {
    const std::size_t all = numbers(effort);
    const auto near = [all](const Ints& number, std::size_t place) noexcept {
      const auto step = static_cast<std::int32_t>(place) - static_cast<std::int32_t>(all / 2);
      return min(max(number + step, 0), kLargest);
    };
    return near(plain & 255, n % all) |
           simd::shift_left<8>(near(simd::shift_right<8>(plain), n / all));
  }
  static Line scale_of(const Floats* factors, const Ints& code) noexcept {
    return {factors[0] * to_floats(code & 255), factors[1] * to_floats(simd::shift_right<8>(code))};
  }
};

/// Types of d * scale * (code + kLow), scales from kLowest to -kLowest - 1. A scale code is the
/// scale less kLowest.
template <typename BlockOf, int kLow, int kLowest>
struct SymmetricType : NumberCodes<16, -2 * kLow - 1> {
  using Block = BlockOf;
  static constexpr std::size_t kFactors = 1;

  static std::uint16_t factor(const Block& block, std::size_t) noexcept { return block.d; }
  static void set_factor(Block& block, std::size_t, std::uint16_t half) noexcept { block.d = half; }

  static constexpr std::size_t candidates(Effort effort) noexcept {
    return effort == Effort::fast ? 5 : 9;
  }
  static Ints candidate(const Ints& plain, std::size_t n, Effort effort) noexcept {
    const int reach = static_cast<int>(candidates(effort) / 2);
    return min(max(plain + (static_cast<int>(n) - reach), 0), -2 * kLowest - 1);
  }
  static Line scale_of(const Floats* factors, const Ints& code) noexcept {
    const Floats step = factors[0] * to_floats(code + kLowest);
    return {step, step * static_cast<float>(-kLow)};
  }
};

}  // namespace sluice::inline SLUICE_ISA::ldlq
