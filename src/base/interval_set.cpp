#include "base/interval_set.h"

#include <algorithm>
#include <iterator>

namespace sluice {

void IntervalSet::add(Interval interval) {
  if (interval.begin >= interval.end) return;
  // Takes in all intervals that the new one touches.
  auto next = ends_.upper_bound(interval.begin);
  if (next != ends_.begin() && std::prev(next)->second >= interval.begin) --next;
  while (next != ends_.end() && next->first <= interval.end) {
    interval.begin = std::min(interval.begin, next->first);
    interval.end = std::max(interval.end, next->second);
    size_ -= next->second - next->first;
    next = ends_.erase(next);
  }
  ends_.emplace_hint(next, interval.begin, interval.end);
  size_ += interval.size();
}

bool IntervalSet::contains(Interval interval) const {
  return !first_gap(interval);
}

std::uint64_t IntervalSet::overlap(Interval interval) const {
  std::uint64_t bytes = 0;
  auto next = ends_.upper_bound(interval.begin);
  if (next != ends_.begin()) --next;
  for (; next != ends_.end() && next->first < interval.end; ++next) {
    const std::uint64_t begin = std::max(interval.begin, next->first);
    const std::uint64_t end = std::min(interval.end, next->second);
    if (begin < end) bytes += end - begin;
  }
  return bytes;
}

std::optional<Interval> IntervalSet::first_gap(Interval interval) const {
  auto next = ends_.upper_bound(interval.begin);
  if (next != ends_.begin()) interval.begin = std::max(interval.begin, std::prev(next)->second);
  if (interval.begin >= interval.end) return std::nullopt;
  if (next != ends_.end()) interval.end = std::min(interval.end, next->first);
  return interval;
}

}  // namespace sluice
