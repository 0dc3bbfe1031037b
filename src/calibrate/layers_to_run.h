#pragma once

#include <cstdint>
#include <functional>

#include "calibrate/calibrated_run.h"

namespace sluice::calibrate {

/// How far layers are to be run; the output counts as one more.
struct LayersToRun {
  std::uint64_t first = 0;   ///< that has something that is treated
  std::uint64_t made = 0;    ///< so many have nothing left to make
  std::uint64_t needed = 0;  ///< so many have all that is treated
};

/// \param is_made  whether a tensor of the plan, which is treated, has been made by an earlier run
LayersToRun layers_to_run(const CalibratedModel& calibrated,
                          const std::function<bool(std::uint32_t tensor)>& is_made);

}  // namespace sluice::calibrate
