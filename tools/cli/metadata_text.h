#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
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

/// A metadata value as JSON; arrays are cut, strings are not. Floats as short as they round-trip,
/// and as strings where they are no numbers.
nlohmann::ordered_json value_json(const gguf::Value& value, std::uint64_t most_elements);

}  // namespace sluice::cli
