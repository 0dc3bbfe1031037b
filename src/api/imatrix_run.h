#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/model_files.h"
#include "api/output_names.h"
#include "calibrate/model_source.h"
#include "imatrix/layout.h"
#include "model/network.h"
#include "sluice/imatrix.h"
#include "sluice/observer.h"

namespace sluice {

/// What is decided before the first weight is read.
struct ImatrixRun {
  ModelFiles files;
  std::optional<model::Network> network;
  model::Tokens tokens;
  std::optional<imatrix::Layout> layout;  ///< of the sums, whatever is made of them
  OutputNames names;                      ///< of the sums

  calibrate::ModelSource source() const {
    return {files.model, files.weights, io::pointers_to(files.parts)};
  }
  std::string state_file() const { return names.work_path + ".state"; }
  /// Where the older format is made of the sums.
  std::string dat_file() const { return names.work_path + ".dat"; }
};

/// Opens the model, makes tokens of the text, and decides where each sum goes.
/// \throws Error
ImatrixRun prepare_run(const ImatrixOptions& options, Observer& observer);

/// Hash of all that the sums depend on. Not of what is made of them, nor of times and names: samples tell a copy from another file.
std::uint64_t binding_of(const ImatrixOptions& options, const ImatrixRun& run);

}  // namespace sluice
