#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/half.h"
#include "codec/packing.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

/// Q1_0: 128 weights in 18 bytes, 1.125 bits a weight: d where a weight's bit is set, else -d.
struct BlockQ1_0 {
  static constexpr std::size_t kWeights = 128;

  std::uint16_t d;        ///< binary16
  std::uint8_t bits[16];  ///< bit j % 8 of byte j / 8

  bool finite() const noexcept { return finite_half(d); }

  void decode(float* out) const noexcept {
    using Words = std::uint32_t __attribute__((vector_size(32)));
    constexpr Words kBit = {1, 2, 4, 8, 16, 32, 64, 128};
    const std::uint32_t minus = std::bit_cast<std::uint32_t>(-f16_to_f32(d));
    for (const std::uint8_t byte : bits) {
      const Words set = ((Words{} + byte) & kBit) == kBit ? Words{} + 0x80000000u : Words{};
      const Words values = (Words{} + minus) ^ set;
      std::memcpy(out, &values, sizeof values);
      out += 8;
    }
  }

  void set_code(std::size_t i, unsigned code) noexcept { put_bits<1>(bits[i / 8], i % 8, code); }

  static void encode(const EncodeRows& rows, std::byte* out) noexcept;
};
static_assert(sizeof(BlockQ1_0) == 18);

}  // namespace sluice::inline SLUICE_ISA
