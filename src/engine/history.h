#pragma once

#include <vector>

#include "sluice/observer.h"

namespace sluice::engine {

/// A run's throughput over its time: a sample now and then, at most a thousand. When there are more,
/// every second one goes, and they are taken half as often.
class History {
 public:
  /// Whether it is time for another one.
  /// \param now_s  since the start
  bool due(double now_s) const;

  /// \param sample  `disk`, `cores` and `budget` are seconds since the start; `limit` is not looked at
  void add(const Sample& sample);

  /// All of them, with shares of the time since the one before.
  std::vector<Sample> samples() const;

 private:
  std::vector<Sample> samples_;  // as they were added
  double every_s_ = 0.1;
};

}  // namespace sluice::engine
