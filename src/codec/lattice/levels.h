#pragma once

// Level tables of the types that give each weight a code of its own: IQ4_NL, IQ4_XS, and IQ2_K to
// IQ6_K, whose sub-blocks choose between the levels and the same levels moved up. Floats, because
// they are only ever multiplied by a float scale.

#include <array>
#include <cstddef>

namespace sluice::inline SLUICE_ISA {

template <std::size_t kCount>
using Levels = std::array<float, kCount>;

/// [0]: the levels, [1]: each of them plus `shift`.
template <std::size_t kCount>
constexpr std::array<Levels<kCount>, 2> with_shifted(const Levels<kCount>& levels,
                                                     float shift) noexcept {
  std::array<Levels<kCount>, 2> both{levels, levels};
  for (float& level : both[1]) level += shift;
  return both;
}

inline constexpr Levels<4> kIq2Levels = {-31, -13, 1, 17};
inline constexpr Levels<8> kIq3Levels = {-63, -40, -23, -10, 1, 13, 28, 47};
inline constexpr Levels<16> kIq4Levels = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};
inline constexpr Levels<32> kIq5Levels = {-126, -114, -103, -92, -83, -74, -65, -57, -50, -43, -36,
                                          -30,  -24,  -18,  -12, -6,  -1,  5,   11,  17,  23,  29,
                                          36,   43,   51,   59,  68,  77,  87,  97,  109, 121};

/// IQ6_K's levels are a cubic in the code, evaluated with fused multiply-adds. Products and sums of
/// these few bits are exact in double, so that rounding each to float is the fused operation.
constexpr Levels<64> iq6_levels() noexcept {
  const auto fused = [](float a, float b, float c) {
    return static_cast<float>(double{a} * double{b} + double{c});
  };
  Levels<64> levels{};
  for (std::size_t code = 0; code < levels.size(); ++code) {
    const float q = static_cast<float>(code);
    levels[code] = fused(q, fused(q, fused(q, 0.0011972f, -0.11218f), 6.2568f), -127.0f);
  }
  return levels;
}

inline constexpr std::array<Levels<16>, 1> kIq4xsLevels = {kIq4Levels};  ///< one table only
inline constexpr auto kIq2kLevels = with_shifted(kIq2Levels, 5.0f);
inline constexpr auto kIq3kLevels = with_shifted(kIq3Levels, 4.0f);
inline constexpr auto kIq4kLevels = with_shifted(kIq4Levels, 4.0f);
inline constexpr auto kIq5kLevels = with_shifted(kIq5Levels, 2.0f);
inline constexpr auto kIq6kLevels = with_shifted(iq6_levels(), 1.0f);

}  // namespace sluice::inline SLUICE_ISA
