#pragma once

#include <span>
#include <vector>

#include "io/file.h"
#include "pipeline/chunk_encoder.h"
#include "plan/plan.h"
#include "sluice/forecast.h"

namespace sluice {

struct EncodeProbeOptions {
  int threads = 1;  ///< that the run would have; no more are measured than there are cores
  Kernels kernels{};
  bool measure_error = false;
  double seconds = 0.1;  ///< for all conversions together
};

/// Measures how fast the plan's tensors are encoded: for each conversion a few real rows of the
/// tensor with the most weights, over and over, on all threads at once, as they share caches,
/// memory and power. Where rows cannot be used (zeros of a hole, NaN, a bad disk), made-up weights
/// stand in.
/// \param left  for each tensor the weights that are still to be made; conversions without any are
///              left out
/// \returns conversions by falling number of weights
std::vector<ConversionRate> measure_encoding(const Plan& plan, std::span<const std::uint64_t> left,
                                             const ImportanceMatrix* imatrix,
                                             std::span<const io::File> files,
                                             const EncodeProbeOptions& options);

}  // namespace sluice
