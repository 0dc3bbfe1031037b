#pragma once

#include <concepts>
#include <cstdint>
#include <string>

#include "base/json_text.h"

// What the documents of include/sluice/json.h have in common.

namespace sluice {

/// An object and the end of its last line. \param fields  fields(json) writes what is within
template <std::invocable<JsonText&> Fields>
std::string document(Fields fields) {
  JsonText json(1);
  json.object([&] { fields(json); });
  return json.str() + '\n';
}

/// Bits a weight.
inline double bits_of(std::uint64_t bytes, std::uint64_t weights) {
  return 8.0 * static_cast<double>(bytes) / static_cast<double>(weights == 0 ? 1 : weights);
}

}  // namespace sluice
