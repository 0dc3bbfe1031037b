#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "api/calibration.h"
#include "api/model_files.h"
#include "api/output_names.h"
#include "api/shared_output.h"
#include "base/interval_set.h"
#include "imatrix/importance_matrix.h"
#include "io/mapped_source.h"
#include "journal/binding.h"
#include "measure/measuring_work.h"
#include "plan/plan.h"
#include "quantize/chunk_encoder.h"
#include "sluice/mix_choice.h"
#include "sluice/observer.h"
#include "sluice/quantize.h"

namespace sluice {

/// An importance matrix with the file that it reads from.
struct OpenedMatrix {
  io::MappedFile file;
  ImportanceMatrix matrix;
  io::FileState state;  ///< when it was opened
};

/// Input files, importance matrix, the plan that refers to them and the output's names.
struct Prepared {
  ModelFiles files;
  std::optional<OpenedMatrix> imatrix;
  Plan plan;
  OutputNames names;
  std::unique_ptr<Calibration> calibration;  ///< null: no text is given
  std::optional<MixChoice> mix;              ///< none: no size is asked for, or it is a guess
  /// What is left to be measured for a size, as long as that is a guess.
  std::optional<measure::MeasuringWork> measuring;
  std::optional<SharedPlan> shared;  ///< none: one run makes all

  /// What the engine makes.
  const Plan& streamed() const { return calibration ? calibration->rest : plan; }
  const ImportanceMatrix* matrix() const { return imatrix ? &imatrix->matrix : nullptr; }
};

/// Opens everything and plans; for a size, chooses first. In place, because the plan points into the
/// importance matrix.
/// \param options   get the recipe of what is chosen
/// \param observer  of the measuring for a size
/// \throws Error
void prepare(QuantizeOptions& options, Prepared& prepared, Observer& observer);

/// The same, but for a size nothing is measured: what the file of measurements lacks is told, and types are
/// guessed then.
void prepare_unmeasured(QuantizeOptions& options, Prepared& prepared);

/// Opens everything and plans as if no size were asked for, with any file type if none is given.
void prepare_for_choice(QuantizeOptions options, Prepared& prepared);

/// Bytes to read for all that is made, and for what an earlier run has made of it.
std::uint64_t input_bytes(const Prepared& prepared);
std::uint64_t input_done(const Prepared& prepared, std::uint64_t unit_bytes,
                         const IntervalSet& done);

/// The output's files.
std::vector<PartReport> parts_of(const Prepared& prepared);

/// The plan for those who look at it.
PlanView view_of(const Prepared& prepared);

/// How chunks are encoded.
EncoderSettings encoder_settings(const QuantizeOptions& options);

/// Everything that the output's bytes depend on and that can change between two runs.
journal::Binding binding_of(const QuantizeOptions& options, const Prepared& prepared);

/// The same of all files, where this run makes a part of them.
/// \pre `prepared.shared`
journal::Binding binding_of_all(const QuantizeOptions& options, const Prepared& prepared);

}  // namespace sluice
