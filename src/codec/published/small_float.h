#pragma once

// Floats of a few bits.

#include <bit>
#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// The number that a sign, kExponentBits and kMantissaBits stand for where no code is an infinity or
/// NaN; exact. Without branches, so that loops over it run on vectors, and without a subnormal
/// operand, which processors are slow with.
template <int kExponentBits, int kMantissaBits>
float small_float(std::uint32_t code) noexcept {
  constexpr int kBits = kExponentBits + kMantissaBits;
  constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  constexpr std::uint32_t kRebias = std::uint32_t{127 - kBias} << 23;
  // Of the last bit of a subnormal number.
  constexpr float kUnit =
      std::bit_cast<float>(static_cast<std::uint32_t>(127 + 1 - kBias - kMantissaBits) << 23);
  const std::uint32_t sign = code >> kBits << 31;
  const std::uint32_t magnitude = code & ((1u << kBits) - 1);
  const std::uint32_t normal = (magnitude << (23 - kMantissaBits)) + kRebias;
  const float small = static_cast<float>(static_cast<std::int32_t>(magnitude)) * kUnit;
  return std::bit_cast<float>(
      sign | (magnitude >> kMantissaBits != 0 ? normal : std::bit_cast<std::uint32_t>(small)));
}

}  // namespace sluice::inline SLUICE_ISA
