#pragma once

#include <span>
#include <vector>

#include "io/file.h"
#include "plan/plan.h"
#include "quantize/chunk_encoder.h"
#include "sluice/forecast.h"

namespace sluice {

/// Measures how fast the plan's tensors are encoded: for each conversion a few real rows of the
/// tensor with the most weights, over and over, on all threads at once, as they share caches,
/// memory and power. Where rows cannot be used (zeros of a hole, NaN, a bad disk), made-up weights
/// stand in, and the rate says so.
/// \param left      for each tensor the weights that are still to be made; conversions without any
///                  are left out
/// \param settings  the run's; no more threads are measured than there are cores
/// \param seconds   for all conversions together
/// \returns conversions by falling number of weights
std::vector<ConversionRate> measure_encoding(const Plan& plan, std::span<const std::uint64_t> left,
                                             const ImportanceMatrix* imatrix,
                                             std::span<const io::File> files,
                                             EncoderSettings settings, double seconds);

}  // namespace sluice
