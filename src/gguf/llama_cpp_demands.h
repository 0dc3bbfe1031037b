#pragma once

// What llama.cpp refuses in files that are GGUF all the same.

#include <optional>
#include <string>
#include <vector>

#include "sluice/gguf.h"

namespace sluice::gguf {

/// A metadata value of another type than the one that llama.cpp reads.
struct MistypedValue {
  std::string key;
  ValueType found;
  ValueType wanted;
  std::optional<Value> right;  ///< the same value in the wanted type, which may not hold it
};

/// The values that keep llama.cpp v0.5.0 from loading a file, of the keys that every model has.
std::vector<MistypedValue> mistyped_values(const Header& header);

/// A sentence about names that are longer than llama.cpp reads, or nothing if there are none.
std::optional<std::string> long_names(const Header& header);

/// A sentence about types that llama.cpp v0.5.0 has not, or nothing if it has all.
std::optional<std::string> foreign_types(const Header& header);

}  // namespace sluice::gguf
