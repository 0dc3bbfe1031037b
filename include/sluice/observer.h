#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/codec.h"
#include "sluice/mix_choice.h"
#include "sluice/share.h"
#include "sluice/tensor_type.h"

#pragma GCC visibility push(default)

namespace sluice {

/// What a run waits for. While every worker has something to do, it is the cores. While one has
/// not, it is the disk if that is being read or written, or the memory budget if nothing may be read
/// before something is finished; else the cores again, on which the rest of the work depends.
enum class Limit { disk, cores, budget };

/// "disk", "cores" or "budget".
std::string_view name(Limit limit) noexcept;

/// What most of a time went into waiting for.
/// \param disk, cores, budget  seconds or shares of it
Limit largest_wait(double disk, double cores, double budget) noexcept;

/// How far a run is.
struct Progress {
  std::uint64_t input_bytes_done = 0;     ///< of input whose output is made
  std::uint64_t input_bytes = 0;          ///< in all
  std::uint64_t input_bytes_skipped = 0;  ///< of those done, by an earlier run
  std::uint64_t weights_done = 0;         ///< by this run
  double elapsed_s = 0;
  double wait_disk_s = 0;  ///< of the time elapsed, see Limit
  double wait_cores_s = 0;
  double wait_budget_s = 0;
};

/// How much of the input is done, 0 to 1: the one measure of how far a run is.
double share_done(const Progress& progress) noexcept;

/// A point in a run's history. Numbers count from its start.
struct Sample {
  double time_s = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t written_bytes = 0;
  std::uint64_t weights = 0;
  /// Of the time since the sample before, or since the start: shares that went into waiting, see
  /// Limit. Their sum is 1.
  double disk = 0;
  double cores = 0;
  double budget = 0;
  Limit limit = Limit::disk;  ///< the largest of them
};

/// What became of one tensor.
struct TensorReport {
  std::string name;
  TensorType source = TensorType::f32;  ///< what the input is nearest to
  std::string stored_as = {};           ///< how the input holds it: "bf16", "f8_e4m3 128x128"
  TensorType type = TensorType::f32;
  /// What the recipe chose, where its rows are no whole blocks of that, so that `type` took its
  /// place.
  std::optional<TensorType> asked = {};
  std::vector<std::uint64_t> shape;  ///< row length first
  std::uint64_t source_bytes = 0;
  std::uint64_t bytes = 0;
  /// Of its bytes in the output, as zlib, gzip and `crc32` have it, known when the run has ended.
  std::uint32_t crc32 = 0;
  /// sum q (x - y)^2 / sum q x^2, and the same with all q = 1; 0 for tensors that were copied, NaN
  /// where it was not measured, or part of the tensor was made by an earlier run.
  double weighted_error = 0;
  double plain_error = 0;
  /// sum q x^2 and sum x^2, by which the errors were divided; 0 or NaN where they are. With them the
  /// errors of any group of tensors can be added up.
  double weighted_power = 0;
  double plain_power = 0;
  bool lacks_importance = false;  ///< as in PlannedTensorView
  /// Weights that this run made smaller, since they are beyond the range of `type`.
  std::uint64_t beyond_range = 0;
  bool all_zero = false;  ///< none of its weights is anything else, and all were met by this run
};

/// The error of all quantized tensors together: of sums over all their weights, not a mean of the
/// tensors' errors.
struct TotalError {
  double weighted = 0;                 ///< sum q (x - y)^2 / sum q x^2
  double plain = 0;                    ///< the same with all q = 1
  std::uint64_t measured_weights = 0;  ///< over which the sums go
  std::uint64_t weights = 0;           ///< of all quantized tensors
};

/// One file of the output.
struct PartReport {
  std::string file;
  std::uint64_t bytes = 0;
  std::uint64_t tensors = 0;  ///< how many it holds
};

/// What a run was to do, did and took.
struct RunReport {
  std::string version;  ///< of sluice
  std::string date;     ///< when it began, UTC: `2026-11-28T01:02:03Z`
  std::string command;  ///< the command line, for whoever has one to fill in
  std::string input;    ///< as it was named, like `output` and `imatrix`
  std::string output;
  std::string model;                  ///< the input's `general.name`; empty: it has none
  std::string architecture;           ///< the input's `general.architecture`
  std::string file_type;              ///< that was asked for: `IQ1_M`
  std::string imatrix;                ///< empty: none
  std::string calibration;            ///< files of the calibration text; empty: none
  std::optional<MixChoice> mix = {};  ///< chosen for a size; none: none was asked for
  ShareOptions share = {};            ///< the part of the output that this is about
  Effort effort = Effort::best;
  /// Half a sentence on the tensors that have an `asked`; empty: there are none.
  std::string substituted;
  std::optional<TotalError> total_error;  ///< none: nothing was measured
  /// Quantized tensors of the largest weighted errors, the largest first: at most ten.
  std::vector<std::string> worst;
  double wall_s = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t cached_bytes = 0;  ///< of these, what the page cache had before, and gave
  double read_s = 0;
  std::uint64_t write_bytes = 0;
  double write_s = 0;
  double compute_s = 0;    ///< summed over workers
  double wait_disk_s = 0;  ///< of the wall time, see Limit
  double wait_cores_s = 0;
  double wait_budget_s = 0;
  double workers_busy = 0;            ///< share of the workers' time from the first read on
  std::uint64_t resumed_bytes = 0;    ///< of the output, made by an earlier run
  bool shared_spindle = false;        ///< reads and writes took turns
  std::string spindle;                ///< why, or why not
  std::uint64_t peak_anon_bytes = 0;  ///< most anonymous memory that the process held
  /// How input was read: "async", "mmap" or "read"; "async, cached" if a file system refused direct
  /// reads (O_DIRECT), so that bytes went through the page cache.
  std::string io;
  std::string isa;  ///< the kernels that ran
  int threads = 1;
  std::uint64_t weights = 0;
  std::vector<PartReport> parts;      ///< the output's files
  std::vector<TensorReport> tensors;  ///< in the output's order
  std::vector<Sample> samples;        ///< evenly spread over the run, at most a thousand
};

/// Is told what a run does. All calls come from one thread at a time; they must be quick, because
/// output waits for them.
class Observer {
 public:
  virtual ~Observer() = default;
  /// A sentence that the user should see: a fallback, an oddity in the input.
  virtual void note(std::string_view) {}
  /// After each chunk.
  virtual void progress(const Progress&) {}
  /// After a tensor's last chunk was written. `index` of `count`, from 0, in the order of
  /// finishing.
  virtual void tensor_done(const TensorReport&, std::size_t, std::size_t) {}
};

}  // namespace sluice

#pragma GCC visibility pop
