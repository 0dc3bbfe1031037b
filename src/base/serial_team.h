#pragma once

#include "base/team.h"

namespace sluice {

/// The caller's thread alone.
class SerialTeam final : public Team {
 public:
  int threads() const override { return 1; }

  void run(std::size_t count,
           const std::function<void(std::size_t task, int worker)>& task) override {
    for (std::size_t i = 0; i < count; ++i) task(i, 0);
  }
};

}  // namespace sluice
