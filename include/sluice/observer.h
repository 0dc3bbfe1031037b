#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/tensor_type.h"

namespace sluice {

/// How far a run is.
struct Progress {
  std::uint64_t input_bytes_done = 0;  ///< of input whose output is written
  std::uint64_t input_bytes = 0;       ///< in all
  std::uint64_t weights_done = 0;
  double elapsed_s = 0;
  double read_s = 0;     ///< time with at least one read under way
  double write_s = 0;    ///< time spent writing
  double compute_s = 0;  ///< summed over workers
  int threads = 1;
};

/// What became of one tensor.
struct TensorReport {
  std::string name;
  TensorType source = TensorType::f32;
  TensorType type = TensorType::f32;
  std::vector<std::uint64_t> shape;  ///< row length first
  std::uint64_t source_bytes = 0;
  std::uint64_t bytes = 0;
  /// sum q (x - y)^2 / sum q x^2, and the same with all q = 1; 0 for tensors that were copied, NaN
  /// where it was not measured.
  double weighted_error = 0;
  double plain_error = 0;
};

/// What a run did and took.
struct RunReport {
  double wall_s = 0;
  std::uint64_t read_bytes = 0;
  double read_s = 0;
  std::uint64_t write_bytes = 0;
  double write_s = 0;
  double compute_s = 0;               ///< summed over workers
  std::uint64_t peak_anon_bytes = 0;  ///< most anonymous memory that the process held
  std::string io;                     ///< the mode that ran: "async", "mmap", "read"
  std::string isa;                    ///< the kernels that ran
  int threads = 1;
  std::uint64_t weights = 0;
  std::vector<TensorReport> tensors;  ///< in the output's order
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
