#pragma once

// The nearest entry of IQ2_XXS's codebook of magnitudes, signs included.
//
// A group's signs are the signs of its values, but the number of minus signs must be even: if it is
// odd, one sign is wrong, and best so at the position where that costs least, which depends on the
// entry. With g the entry's magnitudes the error at scale s is that of coding zeros plus
// s * s * norm - 2 * s * dot, where norm = sum w g g, and dot = sum w |x| g, less twice the
// smallest of its terms if one sign is wrong. Neither depends on the scale: they are computed once
// a group, and every scale then tries all 256 entries.

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::inline SLUICE_ISA {

/// Groups searched side by side, a lane each.
inline constexpr std::size_t kGroupLanes = 8;
inline constexpr std::size_t kGroupSize = 8;
using GroupLanes = std::array<float, kGroupLanes>;

/// Values and error weights of eight groups.
struct SignedGroups {
  std::array<GroupLanes, kGroupSize> x;  ///< [position][lane]
  std::array<GroupLanes, kGroupSize> w;  ///< [position][lane]
};

/// Every entry's sums with each group.
struct EntrySums {
  std::array<GroupLanes, 256> dot;   ///< [entry][lane]
  std::array<GroupLanes, 256> norm;  ///< [entry][lane]
};

/// The entry of each lane that is nearest at the lane's scale, the first of equals.
struct NearestEntries {
  std::array<std::uint32_t, kGroupLanes> index;
  GroupLanes dot;
  GroupLanes norm;
};

/// Sums for all entries.
void sum_entries(const SignedGroups& groups, EntrySums& sums) noexcept;

/// The nearest entries at `scale`, which is positive.
NearestEntries nearest_entries(const EntrySums& sums, const GroupLanes& scale) noexcept;

/// The 7-bit sign index that goes with an entry: the signs of x, one of them changed at the least
/// cost if the number of minus signs is odd.
unsigned best_sign_index(const SignedGroups& groups, std::size_t lane, std::size_t entry) noexcept;

}  // namespace sluice::inline SLUICE_ISA
