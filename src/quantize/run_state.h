#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/interval_set.h"
#include "engine/monitor.h"
#include "plan/plan.h"
#include "quantize/encoding_findings.h"
#include "sluice/observer.h"

namespace sluice {

/// What is known of a tensor before anything is made.
TensorReport report_of(const PlannedTensor& tensor);

/// Where a run stands, tensor by tensor: what an earlier run made, what is left, what became of
/// each. Listens as chunks get done.
class RunState final : public engine::Monitor {
 public:
  struct Options {
    int threads = 1;
    bool measure_error = false;
    std::uint64_t input_bytes = 0;  ///< in all, for the progress
    std::string trace;              ///< empty: none
  };

  /// \param done   of the output's address space, by an earlier run
  /// \param found  what the encoders find; outlives this
  /// \throws Error (output_open) if the trace cannot be written
  RunState(const Plan& plan, const IntervalSet& done, const EncodingFindings& found,
           const Options& options, Observer& observer);

  /// Input that an earlier run has read.
  using Monitor::skip;

  void finished(const engine::Task& task) override;

  /// Looks at the end whether there is a tensor that nothing made, or not all of it.
  /// \throws Error (output_damaged) naming it
  void expect_all_made() const;

  /// Tells the observer that time goes by.
  void tick() { observer().progress(progress()); }

  /// What became of each tensor, but for the CRCs, in the output's order.
  std::vector<TensorReport>& tensors() { return reports_; }

 private:
  struct TensorState {
    std::uint64_t bytes_left = 0;  // of output that this run makes
    bool whole = true;             // none of it was made by an earlier run
  };

  TensorReport describe(std::size_t index) const;

  const Plan& plan_;
  const IntervalSet done_;
  const EncodingFindings& found_;
  const bool measure_error_;
  std::vector<TensorState> states_;
  std::vector<TensorReport> reports_;
  std::size_t tensors_done_ = 0;
};

}  // namespace sluice
