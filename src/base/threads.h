#pragma once

#include <algorithm>
#include <thread>

namespace sluice {

/// The machine's cores; 1 where that is not known.
inline int core_count() noexcept {
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

/// The threads of a run that was told to use `wanted`; 0: one a core.
inline int thread_count(int wanted) noexcept {
  return wanted > 0 ? wanted : core_count();
}

}  // namespace sluice
