#pragma once

#include <cstdint>
#include <string>

#include "sluice/gguf.h"

namespace sluice::cli {

/// How much of a long value is shown.
struct ValueLength {
  std::uint64_t elements = 6;   ///< of an array
  std::size_t characters = 80;  ///< of a string
};

/// `u32`, `string`, `f32[32000]`.
std::string value_type_text(const gguf::Value& value);

/// A metadata value on one line: control characters made visible, long ones cut with a `…`.
std::string value_text(const gguf::Value& value, const ValueLength& length);

}  // namespace sluice::cli
