#pragma once

#include <cstdint>

#include "calibrate/matrix_map.h"
#include "calibrate/walk.h"
#include "measure/measure_text.h"
#include "measure/measurements.h"
#include "measure/text_subjects.h"
#include "measure/variant_tokens.h"

namespace sluice::measure {

/// What is decided before a model is run to be measured: what is known already, what is measured, in which variants,
/// and within which memory.
class TextSetup {
 public:
  /// \param request  outlives this
  /// \throws Error (of the file of measurements)
  explicit TextSetup(const TextRequest& request);

  const TextRequest& request() const { return request_; }
  const calibrate::MatrixMap& map() const { return map_; }
  const Measurements& known() const { return known_; }
  const TextSubjects& subjects() const { return subjects_; }
  const VariantTokens& tokens() const { return tokens_; }

  /// Whether the file of measurements has all.
  bool has_all() const { return subjects_.empty() || subjects_.all_in(known_); }

  struct Memory {
    calibrate::WalkMemory walk;
    std::uint64_t output_layer = 0;  ///< RunSettings::memory, of the output
    std::uint64_t logits = 0;        ///< bytes for logits
  };
  /// \throws Error (memory_budget, which names the least)
  Memory memory() const;

 private:
  std::uint64_t beside() const;

  const TextRequest& request_;
  const calibrate::MatrixMap map_;
  const Measurements known_;
  const TextSubjects subjects_;
  const VariantTokens tokens_;
};

}  // namespace sluice::measure
