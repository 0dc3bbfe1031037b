#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/team.h"
#include "calibrate/row_output.h"
#include "linear/matrix.h"
#include "linear/moments.h"
#include "quantize/chunk_encoder.h"

namespace sluice::calibrate {

/// Encodes matrices whose weights are in memory, rows side by side on all threads.
class MatrixEncoder {
 public:
  /// All outlive this.
  MatrixEncoder(const Plan& plan, RowOutput& output, const EncoderSettings& settings, Team& team)
      : plan_(plan), output_(output), settings_(settings), team_(team) {}

  /// What is known of the input of a matrix.
  struct Knowledge {
    const linear::Factor* factor = nullptr;  ///< encode with feedback under it; null:
    std::span<const float> importance = {};  ///< mean squares; empty: nothing is known
  };

  /// Encodes what no earlier run has made.
  /// \param tensor   of the plan
  /// \param number   which of its matrices
  /// \throws Error (input_value, output_damaged, interrupted)
  void encode(std::uint32_t tensor, std::uint64_t number, const linear::Rows& weights,
              const Knowledge& known);

  /// Bytes that it holds meanwhile.
  static std::uint64_t bytes(const PlannedTensor& tensor, int threads);

 private:
  struct Scratch;

  RowFindings encode_group(const PlannedTensor& tensor, const linear::Rows& weights,
                           std::uint64_t first, std::uint64_t count, const Knowledge& known,
                           Scratch& scratch, std::span<std::byte> out) const;

  const Plan& plan_;
  RowOutput& output_;
  const EncoderSettings& settings_;
  Team& team_;
};

}  // namespace sluice::calibrate
