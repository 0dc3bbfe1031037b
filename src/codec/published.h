#pragma once

#include <cstddef>

#include "sluice/codec.h"

// How published checkpoints code weights where GGUF has no type for it: numbers of so many bits
// along a row, and factors that lie elsewhere.

namespace sluice {

/// Decodes `count` codes of a row from the `first`-th on to `out`: what a code stands for, times
/// `factor`, rounded once to F32. A code or a factor of NaN gives NaN. Reads no byte but those that
/// hold these codes.
using DecodeCodesFunction = void (*)(const std::byte* row, std::size_t first, std::size_t count,
                                     float factor, float* out) noexcept;

/// One function for each coding.
struct CodeDecoders {
  DecodeCodesFunction f8_e4m3;  ///< no infinities, NaN is 0x7f and 0xff
  DecodeCodesFunction f8_e5m2;  ///< the upper half of an F16
  DecodeCodesFunction int8;
  DecodeCodesFunction
      words4;  ///< 8 codes in 32 bits, lowest first; a code stands for itself less 8
  DecodeCodesFunction
      words8;  ///< 4 codes in 32 bits, lowest first; a code stands for itself less 128
  DecodeCodesFunction mxfp4;  ///< 2 codes of E2M1 a byte, lower half first
  // Codes of E2M1 of two rows in the same bytes, whose lower halves are the one and whose upper
  // halves are the other.
  DecodeCodesFunction nvfp4_even;
  DecodeCodesFunction nvfp4_odd;
};

/// The decoders for an instruction set.
/// \pre `isa` is one of supported_isas()
const CodeDecoders& code_decoders(Isa isa = best_isa()) noexcept;

}  // namespace sluice
