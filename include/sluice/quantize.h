#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sluice/codec.h"
#include "sluice/observer.h"
#include "sluice/recipe.h"

namespace sluice {

/// How input files are read.
enum class IoMode {
  automatic,  ///< async where io_uring is to be had, else read
  mmap,       ///< memory maps (Boost.Interprocess)
  async,      ///< asynchronous reads (Boost.Asio on io_uring), past the page cache where possible
  plain,      ///< one pread after the other
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
  Effort effort = Effort::best;
  Isa isa = best_isa();        ///< kernels to run; the bytes are the same for all
  bool measure_error = false;  ///< fill in the errors of TensorReport (costs a decode)
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

/// Makes the output file. Notes and progress go to `observer`, which is called from one thread at a
/// time.
/// \throws Error; the output is then not there, and an older file of that name is untouched.
RunReport quantize(const QuantizeOptions& options, Observer& observer);

}  // namespace sluice
