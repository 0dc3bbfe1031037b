#pragma once

#include <atomic>

#include "engine/memory_plan.h"
#include "engine/monitor.h"
#include "engine/turns.h"
#include "engine/work.h"
#include "io/source.h"

namespace sluice::engine {

struct StreamSettings {
  int threads = 1;                          ///< compute workers
  const std::atomic<bool>* stop = nullptr;  ///< set to true, it ends the run; may be null
};

/// Carries out the work: reads the inputs of every unit from `source`, within the memory granted,
/// runs the operator on them and hands what it made to the consumer. Returns when all is finished.
/// \throws Error, the first that any stage met
void stream(const Work& work, io::Source& source, const MemoryPlan& memory,
            const StreamSettings& settings, Turns& turns, Monitor& monitor);

}  // namespace sluice::engine
