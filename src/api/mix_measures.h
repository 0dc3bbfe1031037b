#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/prepared.h"
#include "measure/measurements.h"
#include "measure/measuring_work.h"
#include "measure/request.h"
#include "model/network.h"
#include "sluice/mix.h"

namespace sluice {

/// What a model is run on to measure what types do to it.
struct MixText {
  model::Network network;
  model::Tokens tokens;
};

/// The text that is named for measuring, or else the calibration's; as much of it as is asked for.
/// \throws Error; also that of an architecture that cannot be run
std::optional<MixText> text_of(const QuantizeOptions& options, const Prepared& planned);

/// Measures what the file does not hold.
measure::Measurements measured(const QuantizeOptions& options, const Prepared& planned,
                               const std::optional<MixText>& text,
                               std::vector<measure::Subject> subjects, Observer& observer);

/// What of that the file does not hold.
measure::MeasuringWork left_to_measure(const QuantizeOptions& options, const Prepared& planned,
                                       const std::optional<MixText>& text,
                                       std::vector<measure::Subject> subjects);

/// With what it is measured, in words.
std::string measured_with(const QuantizeOptions& options, const Prepared& planned,
                          const std::optional<MixText>& text);

}  // namespace sluice
