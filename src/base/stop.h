#pragma once

#include <atomic>

#include "sluice/error.h"

namespace sluice {

/// \throws Error (interrupted) once `*stop` is true; `stop` may be null. To be called every few
///         hundredths of a second by whatever takes longer.
inline void throw_if_stopped(const std::atomic<bool>* stop) {
  if (stop == nullptr || !*stop) return;
  throw Error(ErrorCode::interrupted, "stopped before it was done",
              {.cure = "Run the same command again to go on"});
}

}  // namespace sluice
