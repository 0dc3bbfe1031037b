#pragma once

#include <optional>
#include <vector>

#include "api/prepared.h"
#include "measure/measurements.h"
#include "measure/request.h"
#include "mix/for_target.h"
#include "sluice/mix_choice.h"

namespace sluice {

/// The types that each tensor of a run may get for a size, with a guess of what they cost.
/// \throws Error (usage) if a tensor has none
MixChoice candidates_of(const QuantizeOptions& options, const Prepared& planned);

/// What is to be measured of them.
std::vector<measure::Subject> subjects_of(const MixChoice& choice, const Prepared& planned);

/// What of the output does not depend on types.
mix::OutputFacts output_facts(const QuantizeOptions& options, const Prepared& planned);

/// Bytes that a size asks for, of all places together.
std::uint64_t asked_bytes(const MixTarget& target, std::uint64_t weights);

/// What a tensor adds to the divergence in a type; nothing if that was not measured.
std::optional<double> cost_of(const Prepared& planned, std::size_t tensor, TensorType type,
                              const measure::Measurements& measured);

/// The mixes' own files, those of whose types all was measured.
std::vector<MixPoint> mix_points(const QuantizeOptions& options, const Prepared& planned,
                                 const measure::Measurements& measured);

}  // namespace sluice
