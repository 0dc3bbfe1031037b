#pragma once

#include <cstdint>
#include <cstring>
#include <random>

#include "support/gguf_builder.h"

namespace sluice::testing_support {

/// So many BF16 between 0.5 and 2, of either sign, as tensor data; four from each random number, since
/// tests make millions, with sanitizers too.
/// \param count  a multiple of 4
inline Bytes random_bf16(std::size_t count, std::uint64_t seed) {
  constexpr std::uint64_t kSignAndFraction = 0x80ff80ff80ff80ff;
  constexpr std::uint64_t kExponent = 0x3f003f003f003f00;
  std::mt19937_64 random(seed);
  Bytes data(count * 2);
  for (std::size_t at = 0; at < data.size(); at += 8) {
    const std::uint64_t four = (random() & kSignAndFraction) | kExponent;
    std::memcpy(data.data() + at, &four, sizeof(four));
  }
  return data;
}

}  // namespace sluice::testing_support
