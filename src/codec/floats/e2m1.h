#pragma once

// The four-bit floating-point numbers of MXFP4 and NVFP4.

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// Twice the value of each code (sign, two bits of exponent, one of mantissa), so that all are
/// integers. Code 8, minus zero, is plain zero here, as in the readers of these formats.
inline constexpr std::int8_t kTwiceE2M1[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                               0, -1, -2, -3, -4, -6, -8, -12};

}  // namespace sluice::inline SLUICE_ISA
