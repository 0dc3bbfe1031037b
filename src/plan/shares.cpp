#include "plan/shares.h"

#include <algorithm>
#include <numeric>

#include "plan/input.h"
#include "plan/substitution.h"

namespace sluice {
namespace {

/// How many shares of at most `most` there are if each takes what it can.
std::size_t shares_needed(std::span<const std::uint64_t> costs, std::uint64_t most) {
  std::size_t shares = 1;
  std::uint64_t sum = 0;
  for (const std::uint64_t cost : costs) {
    if (sum + cost > most) {
      ++shares;
      sum = 0;
    }
    sum += cost;
  }
  return shares;
}

/// The least that the dearest share can cost.
std::uint64_t least_most(std::span<const std::uint64_t> costs, std::size_t shares) {
  std::uint64_t low = *std::ranges::max_element(costs);
  std::uint64_t high = std::accumulate(costs.begin(), costs.end(), std::uint64_t{0});
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (shares_needed(costs, middle) <= shares) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace

std::vector<Stretch> share_out(std::span<const std::uint64_t> costs, std::size_t shares) {
  std::vector<Stretch> stretches(shares, {costs.size(), 0});
  if (costs.empty()) return stretches;
  const std::uint64_t most = least_most(costs, shares);
  std::size_t next = 0;
  for (std::size_t i = 0; i < shares && next < costs.size(); ++i) {
    stretches[i].first = next;
    std::uint64_t sum = 0;
    // As many are left for the shares that follow as there are of those.
    const std::size_t others = shares - i - 1;
    do {
      sum += costs[next++];
    } while (next < costs.size() && costs.size() - next > others && sum + costs[next] <= most);
    stretches[i].count = next - stretches[i].first;
  }
  return stretches;
}

std::vector<ShareView> shares_of(const Plan& plan, std::size_t count) {
  std::vector<std::uint64_t> input(plan.parts.size());
  for (const PlannedTensor& tensor : plan.tensors) input[tensor.output_part] += tensor.input_size;
  std::vector<std::uint64_t> costs;
  for (std::size_t i = 0; i < input.size(); ++i) costs.push_back(input[i] + plan.parts[i].size);
  std::vector<ShareView> shares;
  for (const Stretch& stretch : share_out(costs, count)) {
    ShareView& share =
        shares.emplace_back(ShareView{.first_file = stretch.first, .files = stretch.count});
    for (std::size_t i = stretch.first; i < stretch.first + stretch.count; ++i) {
      share.input_bytes += input[i];
      share.output_bytes += plan.parts[i].size;
    }
  }
  return shares;
}

Stretch tensors_of(const Plan& plan, const ShareView& share) {
  const OutputPart& first = plan.parts[share.first_file];
  const OutputPart& last = plan.parts[share.first_file + share.files - 1];
  return {first.first_tensor, last.first_tensor + last.tensors - first.first_tensor};
}

Plan plan_of(const Plan& plan, const ShareView& share) {
  const Stretch tensors = tensors_of(plan, share);
  const auto of = [](auto& all, std::size_t first, std::size_t count) {
    return std::span(all).subspan(first, count);
  };
  Plan own = plan;
  const auto parts = of(plan.parts, share.first_file, share.files);
  own.parts.assign(parts.begin(), parts.end());
  const std::uint64_t begin = parts.front().begin;
  for (OutputPart& part : own.parts) {
    part.begin -= begin;
    part.first_tensor -= tensors.first;
  }
  const auto planned = of(plan.tensors, tensors.first, tensors.count);
  own.tensors.assign(planned.begin(), planned.end());
  for (PlannedTensor& tensor : own.tensors) {
    tensor.output_part -= share.first_file;
    tensor.output_offset -= begin;
  }
  const auto wanted = of(plan.wanted, tensors.first, tensors.count);
  own.wanted.assign(wanted.begin(), wanted.end());
  own.missing_importance.clear();
  for (const std::uint32_t index : plan.missing_importance) {
    if (index >= tensors.first && index - tensors.first < tensors.count) {
      own.missing_importance.push_back(index - static_cast<std::uint32_t>(tensors.first));
    }
  }
  own.output_size = share.output_bytes;
  own.substituted = substitution_text(own);
  measure_bands(own);
  return own;
}

}  // namespace sluice
