#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "base/interval_set.h"
#include "plan/plan.h"
#include "quantize/encoding_findings.h"
#include "quantize/output_writer.h"
#include "quantize/run_state.h"

namespace sluice::calibrate {

/// Rows of a tensor of the plan.
struct TensorRows {
  std::uint32_t tensor = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

/// What encoding rows comes to.
struct RowFindings {
  EncodingErrors errors{};
  WeightFindings weights{};

  void add(const RowFindings& other) {
    errors.plain += other.errors.plain;
    errors.weighted += other.errors.weighted;
    weights.add(other.weights);
  }
};

/// Brings rows that are encoded without the engine, on one thread, the way of the engine's results.
class RowOutput {
 public:
  /// All outlive this.
  /// \param done  of the output's address space, by an earlier run
  RowOutput(const Plan& plan, const IntervalSet& done, OutputWriter& writer, RunState& state,
            EncodingFindings& found)
      : plan_(plan), done_(done), writer_(writer), state_(state), found_(found) {}

  /// Whether an earlier run has made them.
  bool has(const TensorRows& rows) const;

  /// Takes over rows once they are encoded.
  /// \param encode  writes them to `bytes`
  void put(const TensorRows& rows, std::span<const std::byte> bytes,
           const std::function<RowFindings()>& encode);

  /// Reads rows back that are on the disk. \throws Error (output_write)
  void read(const TensorRows& rows, std::span<std::byte> bytes) const;

  /// Brings all that was put to the disk, and tells the journal.
  void settle() { writer_.finish(); }

  /// Tells the observer that time goes by.
  void tick() { state_.tick(); }

 private:
  const Plan& plan_;
  const IntervalSet& done_;
  OutputWriter& writer_;
  RunState& state_;
  EncodingFindings& found_;
};

/// Bytes of input of those of a tensor's rows that an earlier run has made.
std::uint64_t input_done(const Plan& plan, std::uint32_t tensor, const IntervalSet& done);

}  // namespace sluice::calibrate
