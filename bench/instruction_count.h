#pragma once

#include <cstdint>
#include <functional>

namespace sluice::bench {

/// How many instructions `work` executes: it is run once in a child process, one step at a time.
/// For machines without hardware counters, and kernels that no simulator runs. Around a million
/// instructions take a few seconds. 0 where a process may not trace its children.
std::uint64_t count_instructions(const std::function<void()>& work);

}  // namespace sluice::bench
