#pragma once

#include <cstdint>

namespace sluice::calibrate {

/// What calibration does for a tensor of the output.
enum class Treatment : std::uint8_t {
  none,        ///< it is made as without
  importance,  ///< its encoder is told the mean squares of what it is multiplied by
  feedback,    ///< it is encoded with error feedback under the second moments of that
};

}  // namespace sluice::calibrate
