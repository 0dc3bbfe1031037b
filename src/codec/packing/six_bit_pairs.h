#pragma once

// Eight scales and eight mins of six bits each in 12 bytes, as in Q4_K and Q5_K: bytes 0 to 3 hold
// scales 0 to 3 and bytes 4 to 7 mins 0 to 3 in their low six bits. The low four bits of scales and
// mins 4 to 7 are the halves of bytes 8 to 11; their upper two bits are on top of bytes 0 to 3 and
// 4 to 7.

#include <cstdint>

namespace sluice::inline SLUICE_ISA {

static inline void pack_six_bit_pairs(const std::uint8_t* scales, const std::uint8_t* mins,
                                      std::uint8_t* bytes) noexcept {
  for (int s = 0; s < 4; ++s) {
    bytes[s] = static_cast<std::uint8_t>(scales[s] | scales[s + 4] >> 4 << 6);
    bytes[s + 4] = static_cast<std::uint8_t>(mins[s] | mins[s + 4] >> 4 << 6);
    bytes[s + 8] = static_cast<std::uint8_t>((scales[s + 4] & 15) | (mins[s + 4] & 15) << 4);
  }
}

static inline void unpack_six_bit_pairs(const std::uint8_t* bytes, std::uint8_t* scales,
                                        std::uint8_t* mins) noexcept {
  for (int s = 0; s < 4; ++s) {
    scales[s] = bytes[s] & 63;
    mins[s] = bytes[s + 4] & 63;
    scales[s + 4] = static_cast<std::uint8_t>((bytes[s + 8] & 15) | bytes[s] >> 6 << 4);
    mins[s + 4] = static_cast<std::uint8_t>(bytes[s + 8] >> 4 | bytes[s + 4] >> 6 << 4);
  }
}

}  // namespace sluice::inline SLUICE_ISA
