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
    /// With a factor: what is fitted first by what the input lacks; null: nothing
    const linear::Lacks* lacks = nullptr;
  };

  /// Encodes what no earlier run has made.
  /// \param tensor   of the plan
  /// \param number   which of its matrices
  /// \param kept    gets all that the matrix becomes, by whichever run; may be empty
  /// \throws Error (input_value, output_damaged, output_write, interrupted)
  void encode(std::uint32_t tensor, std::uint64_t number, const linear::Rows& weights,
              const Knowledge& known, std::span<std::byte> kept = {});

  /// Bytes that it holds meanwhile.
  /// \param fitted  with Knowledge::lacks
  static std::uint64_t bytes(const PlannedTensor& tensor, int threads, bool fitted = false);

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
