#include "measure/fitted_shares.h"

#include <functional>
#include <numeric>

namespace sluice::measure {
namespace {

using Margin = std::function<std::optional<std::size_t>(const Share&)>;

// Multiplies what adds to each sum so that it is as wanted.
void fit_margin(const std::vector<Share>& shares, const Margin& of, std::span<const double> wanted,
                std::vector<double>& added) {
  std::vector<double> sums(wanted.size());
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (const auto to = of(shares[i])) sums[*to] += added[i];
  }
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const auto to = of(shares[i]);
    if (to && sums[*to] > 0 && wanted[*to] > 0) added[i] *= wanted[*to] / sums[*to];
  }
}

}  // namespace

std::vector<double> fitted_shares(const std::vector<Share>& shares, std::span<const double> kinds,
                                  std::span<const double> groups) {
  constexpr int kRounds = 32;
  std::vector<double> added;
  for (const Share& share : shares) added.push_back(share.size);
  const Margin kind = [](const Share& share) { return std::optional(share.kind); };
  const Margin group = [](const Share& share) { return share.group; };
  const double of_groups = std::accumulate(groups.begin(), groups.end(), 0.0);
  for (int round = 0; round < kRounds; ++round) {
    fit_margin(shares, kind, kinds, added);
    double in_groups = 0;
    for (std::size_t i = 0; i < shares.size(); ++i) in_groups += shares[i].group ? added[i] : 0;
    std::vector<double> wanted(groups.begin(), groups.end());
    for (double& sum : wanted) sum *= of_groups > 0 ? in_groups / of_groups : 0;
    fit_margin(shares, group, wanted, added);
  }
  fit_margin(shares, kind, kinds, added);
  return added;
}

}  // namespace sluice::measure
