#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "plan/plan.h"
#include "sluice/share.h"

namespace sluice {

/// Items that follow one another.
struct Stretch {
  std::size_t first = 0;
  std::size_t count = 0;
};

/// Shares out items, in their order, so that the dearest share is as cheap as it can be. No share is
/// empty unless there are fewer items than shares: then the last ones are.
/// \param shares  one or more
std::vector<Stretch> share_out(std::span<const std::uint64_t> costs, std::size_t shares);

/// Shares out a plan's files by what is read for them and written. The same on every machine.
std::vector<ShareView> shares_of(const Plan& plan, std::size_t count);

/// A plan of its own for the files of one share, whose address space begins with them.
/// \param share  with files
Plan plan_of(const Plan& plan, const ShareView& share);

/// The tensors in a share's files, of the plan's.
Stretch tensors_of(const Plan& plan, const ShareView& share);

}  // namespace sluice
