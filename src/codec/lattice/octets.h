#pragma once

// The layout that searches among codebooks of magnitudes share. Eight weights with one sign pattern
// are an octet; a super-block has 32, and one octet is one lane: nothing is summed across lanes
// before the sums of a sub-block, so that the width of a register does not show in the bytes.

#include <array>
#include <cstddef>

#include "codec/lattice/lanes.h"
#include "codec/lattice/weighting.h"

namespace sluice::inline SLUICE_ISA {

inline constexpr std::size_t kOctet = 8;
inline constexpr std::size_t kOctets = 32;     ///< in a super-block
inline constexpr std::size_t kLaneHalves = 2;  ///< the 32 lanes are two times kLanes

/// Position j of the octets of half h is row 2 * j + h.
using OctetRows = std::array<Lanes, kOctet * kLaneHalves>;
using Octets = WeightedLanes<kOctet * kLaneHalves>;

/// The lane, of 32, of octet k of sub-block b. With sub-blocks of 16 weights, the two octets are
/// lane b of both halves. With sub-blocks of 32, the four are lanes b and b + 8 of both halves.
template <std::size_t kSubBlock>
constexpr std::size_t lane_of_octet(std::size_t b, std::size_t k) noexcept {
  static_assert(kSubBlock == 16 || kSubBlock == 32);
  return 256 / kSubBlock * k + b;
}

/// How lanes of such sub-blocks belong together.
template <std::size_t kSubBlock>
inline constexpr Share kShareOfOctets = kSubBlock == 16 ? Share::block : Share::pairs;

/// Lays out the 256 values of a super-block.
template <std::size_t kSubBlock>
void to_octet_rows(const float* values, OctetRows& rows) noexcept {
  float* const columns = reinterpret_cast<float*>(rows.data());
  for (std::size_t k = 0; k < kSubBlock / kOctet; ++k) {
    for (std::size_t b = 0; b < 256 / kSubBlock; b += 4) {
      const std::size_t lane = lane_of_octet<kSubBlock>(b, k);
      for (std::size_t j = 0; j < kOctet; j += 4) {
        transpose_4x4(values + kSubBlock * b + kOctet * k + j, kSubBlock,
                      columns + (2 * j + lane / kLanes) * kLanes + lane % kLanes, 2 * kLanes);
      }
    }
  }
}

/// What both halves have, summed over each sub-block, in each of its lanes.
template <std::size_t kSubBlock>
Lanes sum_of_sub_blocks(const std::array<Lanes, kLaneHalves>& halves) noexcept {
  const Lanes sum = halves[0] + halves[1];
  return kSubBlock == 16 ? sum : sum + swap_halves(sum);
}

}  // namespace sluice::inline SLUICE_ISA
