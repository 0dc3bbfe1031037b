#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "calibrate/model_source.h"
#include "codec/preparation.h"
#include "imatrix/importance_matrix.h"
#include "io/mapped_source.h"
#include "quantize/chunk_encoder.h"
#include "sluice/tensor_type.h"

namespace sluice::measure {

/// A tensor that is measured, in the types that it could have.
struct Subject {
  std::size_t tensor = 0;              ///< index in the model
  std::vector<TensorType> types = {};  ///< with an encoder, and of which its rows are whole blocks
  const ImportanceMatrix::Entry* importance = nullptr;  ///< null: none is known
  float bias_correction = 1;                            ///< as the run will have it
};

/// What is measured, by what means, and where it is kept. What is referred to outlives the measuring.
struct Request {
  calibrate::ModelSource model;
  std::vector<Subject> subjects = {};
  const ImportanceMatrix* imatrix = nullptr;     ///< null: none
  const io::MappedFile* imatrix_file = nullptr;  ///< what it reads from
  EncoderSettings settings = {};                 ///< those of the run
  std::uint64_t memory = 0;                      ///< bytes that the process may take
  std::uint64_t held = 0;                        ///< of these, what others hold
  std::uint64_t inputs =
      0;  ///< hash of the contents of model, importance matrix and text, and of edits
  std::string file = {};  ///< of measurements; empty: they are not kept
};

/// What the types are prepared with, which stays.
inline std::uint64_t bytes_of_preparations(const Request& request) {
  std::set<TensorType> types;
  for (const Subject& subject : request.subjects) {
    types.insert(subject.types.begin(), subject.types.end());
  }
  return prepared_bytes(types, request.settings.isa);
}

}  // namespace sluice::measure
