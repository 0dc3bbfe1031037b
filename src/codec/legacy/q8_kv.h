#pragma once

#include "codec/block_codec.h"

namespace sluice::inline SLUICE_ISA {

/// Bytes of rows with a scale: code * d.
template <typename Scale>
struct BlockQ8Kv {
  using RowScale = Scale;
  static constexpr std::size_t kWeights = 32;

  std::int8_t codes[kWeights];

  void decode(float d, float* out) const noexcept {
    for (const std::int8_t code : codes) *out++ = d * static_cast<float>(code);
  }
};

}  // namespace sluice::inline SLUICE_ISA
