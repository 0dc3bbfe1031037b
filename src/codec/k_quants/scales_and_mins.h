#pragma once

// What Q4_K and Q5_K have in common: eight scales and eight mins of six bits each in 12 bytes, and
// how a weight comes of them.

#include <cstddef>
#include <cstdint>

#include "codec/half.h"

namespace sluice::inline SLUICE_ISA {

/// Bytes 0 to 3 hold scales 0 to 3 and bytes 4 to 7 mins 0 to 3 in their low six bits. The low four
/// bits of scales and mins 4 to 7 are the halves of bytes 8 to 11; their upper two bits are on top
/// of bytes 0 to 3 and 4 to 7.
struct ScalesAndMins {
  std::uint8_t bytes[12];

  void set(const std::uint8_t (&scales)[8], const std::uint8_t (&mins)[8]) noexcept {
    for (int s = 0; s < 4; ++s) {
      bytes[s] = static_cast<std::uint8_t>(scales[s] | scales[s + 4] >> 4 << 6);
      bytes[s + 4] = static_cast<std::uint8_t>(mins[s] | mins[s + 4] >> 4 << 6);
      bytes[s + 8] = static_cast<std::uint8_t>((scales[s + 4] & 15) | (mins[s + 4] & 15) << 4);
    }
  }

  void set(std::size_t s, unsigned scale, unsigned min) noexcept {
    if (s < 4) {
      bytes[s] = static_cast<std::uint8_t>((bytes[s] & ~63u) | scale);
      bytes[s + 4] = static_cast<std::uint8_t>((bytes[s + 4] & ~63u) | min);
    } else {
      bytes[s + 4] = static_cast<std::uint8_t>((scale & 15) | (min & 15) << 4);
      bytes[s - 4] = static_cast<std::uint8_t>((bytes[s - 4] & 63u) | scale >> 4 << 6);
      bytes[s] = static_cast<std::uint8_t>((bytes[s] & 63u) | min >> 4 << 6);
    }
  }
  unsigned scale(std::size_t s) const noexcept {
    return s < 4 ? bytes[s] & 63u : (bytes[s + 4] & 15u) | (bytes[s - 4] >> 6u) << 4;
  }
  unsigned min(std::size_t s) const noexcept {
    return s < 4 ? bytes[s + 4] & 63u : bytes[s + 4] >> 4u | (bytes[s] >> 6u) << 4;
  }

  void get(std::uint8_t (&scales)[8], std::uint8_t (&mins)[8]) const noexcept {
    for (int s = 0; s < 4; ++s) {
      scales[s] = bytes[s] & 63;
      mins[s] = bytes[s + 4] & 63;
      scales[s + 4] = static_cast<std::uint8_t>((bytes[s + 8] & 15) | bytes[s] >> 6 << 4);
      mins[s + 4] = static_cast<std::uint8_t>(bytes[s + 8] >> 4 | bytes[s + 4] >> 6 << 4);
    }
  }
};

/// A block with `d`, `dmin`, `scales_and_mins` and code(sub-block, weight of 32) to 256 weights.
template <class Block>
static inline void decode_scales_and_mins(const Block& block, float* out) noexcept {
  const float d = f16_to_f32(block.d);
  const float dmin = f16_to_f32(block.dmin);
  std::uint8_t scales[8];
  std::uint8_t mins[8];
  block.scales_and_mins.get(scales, mins);
  for (int s = 0; s < 8; ++s) {
    const float scale = d * static_cast<float>(scales[s]);
    const float offset = dmin * static_cast<float>(mins[s]);
    for (int l = 0; l < 32; ++l) {
      *out++ = scale * static_cast<float>(block.code(s, l)) - offset;
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
