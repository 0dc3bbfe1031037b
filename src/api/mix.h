#pragma once

#include <string_view>

#include "measure/measuring_work.h"
#include "plan/plan.h"
#include "sluice/mix_choice.h"
#include "sluice/observer.h"
#include "sluice/quantize.h"

namespace sluice {

struct Prepared;

/// Refuses what cannot be together with a size. \throws Error (usage)
void check_target(const QuantizeOptions& options);

/// Chooses the types for a size.
/// \param planned  the same run, planned without a size: says which tensors have a choice
/// \throws Error as the public one does
MixChoice choose_mix(const QuantizeOptions& options, const Prepared& planned, Observer& observer);

/// What can be said of a size before all is measured.
struct GuessedMix {
  measure::MeasuringWork measuring;  ///< what is left of it
  MixChoice choice;                  ///< as if errors went by bits alone
};

/// Reads headers and the file of measurements, and no weights. \throws Error as choose_mix() does
GuessedMix guess_mix(const QuantizeOptions& options, const Prepared& planned);

/// Tells in a plan of what was chosen why its tensors have their types. \param how  "chosen" or "guessed"
void tell_choice(const MixChoice& choice, std::string_view how, Plan& plan);

}  // namespace sluice
