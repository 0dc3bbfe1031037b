#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace sluice {

/// Bytes from `begin` up to, not including, `end`.
struct Interval {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  std::uint64_t size() const { return end - begin; }
  bool operator==(const Interval&) const = default;
};

/// A set of offsets, kept as the fewest intervals that cover it.
class IntervalSet {
 public:
  void add(Interval interval);

  bool contains(Interval interval) const;

  /// How many bytes of the interval are in the set.
  std::uint64_t overlap(Interval interval) const;

  /// The first piece of the interval that is not in the set.
  std::optional<Interval> first_gap(Interval interval) const;

  std::uint64_t size() const { return size_; }
  bool empty() const { return ends_.empty(); }

  /// Calls `visit(Interval)` in rising order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [begin, end] : ends_) visit(Interval{begin, end});
  }

 private:
  std::map<std::uint64_t, std::uint64_t> ends_;  // by begin; neither touching nor overlapping
  std::uint64_t size_ = 0;
};

}  // namespace sluice
