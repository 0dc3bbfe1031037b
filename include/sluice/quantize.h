#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "sluice/codec.h"
#include "sluice/observer.h"
#include "sluice/recipe.h"

#pragma GCC visibility push(default)

namespace sluice {

/// How input files are read.
enum class IoMode {
  automatic,  ///< async where io_uring is to be had, else read
  mmap,       ///< memory maps (Boost.Interprocess)
  async,      ///< asynchronous reads (Boost.Asio on io_uring), past the page cache where possible
  plain,      ///< one pread after the other
};

/// Whether input and output share a disk whose head has to move between them.
enum class Spindle {
  automatic,  ///< by the files' devices
  shared,     ///< reads and writes take turns, in large batches
  separate,   ///< neither waits for the other
};

/// Everything that decides what is made and how.
struct QuantizeOptions {
  std::string input;   ///< a GGUF file, or any part of a split one
  std::string output;  ///< appears under this name only when it is whole
  Mix mix = Mix::llama_cpp;
  const FileType* file_type = nullptr;
  bool pure = false;                  ///< one type for all tensors, with the usual fallbacks
  std::string imatrix;                ///< importance matrix file; empty: none
  bool ignore_imatrix_rules = false;  ///< allow very-low-bit types without importance
  bool allow_requantize = false;      ///< accept sources below 8 bits a weight
  int threads = 0;                    ///< compute workers; 0: one a core
  std::uint64_t memory = std::uint64_t{512}
                         << 20;  ///< bytes for input, scratch and output together
  IoMode io = IoMode::automatic;
  Spindle spindle = Spindle::automatic;
  Effort effort = Effort::best;
  Isa isa = best_isa();        ///< kernels to run; the bytes are the same for all
  bool measure_error = false;  ///< fill in the errors of TensorReport (costs a decode)
  /// Check every chunk before it is written: finite scales, and an error such as a right encoding
  /// has (costs a decode). A chunk that fails ends the run (output_damaged).
  bool verify = false;

  /// Most time between two checkpoints: as much work is done twice, at most, after a crash.
  double checkpoint_s = 4;
  bool restart = false;        ///< begin anew even if an earlier run left something to go on with
  bool verify_resume = false;  ///< read again what an earlier run made, and make anew what differs
  std::string trace;           ///< write a Chrome trace of the run to this file; empty: none
  /// Set to true, by another thread or a signal handler, it ends the run within a second, with what
  /// is done kept. May be null.
  const std::atomic<bool>* stop = nullptr;
};

/// What will be done to one tensor.
struct PlannedTensorView {
  std::string name;
  std::vector<std::uint64_t> shape;  ///< row length first
  TensorType source;
  TensorType type;
  std::string rule;      ///< why this type
  std::uint64_t offset;  ///< in the output file
  std::uint64_t size;    ///< bytes in the output file
};

/// What will be done, tensor by tensor in the output's order.
struct PlanView {
  std::vector<PlannedTensorView> tensors;
  /// Tensors that would get a very-low-bit type without importance values; `quantize` refuses a
  /// plan that has any, unless told to ignore it.
  std::vector<std::string> missing_importance;
  std::uint64_t input_bytes = 0;   ///< tensor data to read
  std::uint64_t output_bytes = 0;  ///< of the output file
  std::uint64_t weights = 0;
};

/// Decides everything, reads headers only, writes nothing. `options.output` may be empty.
/// \throws Error
PlanView plan(const QuantizeOptions& options);

/// Makes the output file, or goes on making it where an earlier run with the same input and options
/// was stopped, killed or cut off: what that run had brought to the disk (`OUT.part`, with
/// `OUT.part.journal`) is not made again, and the bytes are those of an undisturbed run. Notes and
/// progress go to `observer`, which is called from one thread at a time.
/// \throws Error; the output is then not there, and an older file of that name is untouched. If the
///         run had come to a checkpoint, a later call goes on from there.
RunReport quantize(const QuantizeOptions& options, Observer& observer);

}  // namespace sluice

#pragma GCC visibility pop
