#pragma once

#include <cmath>

namespace sluice::testing_support {

/// A float of `exponent_bits` and `mantissa_bits` without sign, by the definition of binary
/// formats, no code being an infinity or NaN.
inline double tiny_float(unsigned bits, int exponent_bits, int mantissa_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(bits >> mantissa_bits & ((1u << exponent_bits) - 1));
  const double fraction =
      std::ldexp(static_cast<double>(bits & ((1u << mantissa_bits) - 1)), -mantissa_bits);
  return exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias);
}

}  // namespace sluice::testing_support
