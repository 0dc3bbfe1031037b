#pragma once

#include <memory>
#include <string>

#include "api/model_files.h"
#include "api/output_names.h"
#include "calibrate/calibrated_run.h"
#include "plan/plan.h"
#include "sluice/quantize.h"

namespace sluice {

/// A run with a calibration text.
struct Calibration {
  calibrate::CalibratedModel model;
  Plan rest;                      ///< the tensors that the engine makes
  std::uint64_t least_bytes = 0;  ///< of memory, for the same treatments
  std::uint64_t most_bytes = 0;
};

/// Finds out how the model is run, and reads the text.
/// \throws Error; also that of an architecture that cannot be run
std::unique_ptr<Calibration> open_calibration(const QuantizeOptions& options,
                                              const ModelFiles& files);

/// What the output tells of it.
CalibrationFacts facts_of(const QuantizeOptions& options, const Calibration& calibration);

/// Decides what is done for which tensor.
/// \param plan  gets notes, and is told which tensors do not lack importance
/// \throws Error (memory_budget; usage: no tensor gets feedback)
void decide(const QuantizeOptions& options, const ModelFiles& files, const OutputNames& names,
            Plan& plan, Calibration& calibration);

/// For those who look at the plan, of whose tensors the view has one each.
void add_calibration(const Calibration& calibration, PlanView& view);

/// What is done on behalf of a text, in words that follow others; empty, if there is none.
std::string calibration_text(const Calibration* calibration);

/// Where a run that was cut off is kept, beside the half-made output; empty, if there is no text.
std::string state_file_of(const QuantizeOptions& options, const OutputNames& names);

}  // namespace sluice
