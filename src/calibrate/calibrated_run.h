#pragma once

#include <cstdint>
#include <string>

#include "calibrate/calibration_plan.h"
#include "calibrate/model_source.h"
#include "calibrate/row_output.h"
#include "calibrate/walk.h"
#include "io/source.h"
#include "plan/plan.h"
#include "quantize/chunk_encoder.h"
#include "sluice/observer.h"

// A calibrated run makes the tensors without a treatment as any run does. Then it runs the model, layer by
// layer, and makes the others of a layer when all tokens have been through it.

namespace sluice::calibrate {

/// What is decided before weights are read.
struct CalibratedModel {
  ModelSource source;
  model::Network network;
  model::Tokens tokens;
  bool refit = false;  ///< with a second stream: see second_stream.h
  TensorIndex index = {};
  CalibrationPlan plan = {};
  WalkMemory memory = {};
  std::string state_file = {};      ///< see WalkState
  std::uint64_t state_binding = 0;  ///< see WalkState
};

/// The tokens of all streams.
model::Tokens walked_tokens(const CalibratedModel& calibrated);

/// The plan without what treated tensors are made of: what is left for the engine.
Plan without_treated(const Plan& plan, const CalibrationPlan& calibration);

/// Bytes of input of the treated tensors, and how many of them an earlier run has made.
std::uint64_t treated_input(const Plan& plan, const CalibrationPlan& calibration);
std::uint64_t treated_input_done(const Plan& plan, const CalibrationPlan& calibration,
                                 const IntervalSet& done);

/// Runs the model and makes all treated tensors that no earlier run has made.
/// \param source  of the model's files
/// \throws Error
void make_treated(const CalibratedModel& calibrated, const Plan& plan,
                  const EncoderSettings& settings, io::Source& source, engine::Monitor& monitor,
                  RowOutput& output, Observer& observer);

}  // namespace sluice::calibrate
