#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/observer.h"
#include "sluice/streaming.h"
#include "sluice/tensor_type.h"

#pragma GCC visibility push(default)

namespace sluice {

/// What to compare.
struct CompareOptions : StreamingOptions {
  std::string a = {};  ///< what errors are relative to: a GGUF file or a checkpoint
  std::string b = {};
};

/// One side of a tensor.
struct ComparedSide {
  TensorType type = TensorType::f32;
  std::vector<std::uint64_t> shape;  ///< row length first
  std::uint64_t bytes = 0;
};

/// How far b's weights y are from a's weights x, over all where both are finite.
struct Difference {
  double squared_error = 0;  ///< sum (x - y)^2
  double power = 0;          ///< sum x^2
  double error = 0;          ///< the one by the other; infinite if x alone is zero everywhere
  double cosine = 1;         ///< sum xy / sqrt(sum x^2 sum y^2); 1 if both are zero, 0 if one is
  double max_absolute = 0;   ///< the largest |x - y|
  std::uint64_t not_finite =
      0;  ///< weights left out: NaN or infinite in a or b, unless of equal bits
};

/// What became of one tensor name.
struct ComparedTensor {
  std::string name;
  std::optional<ComparedSide> a;  ///< none: b alone has it
  std::optional<ComparedSide> b;
  /// None where nothing could be compared, or only bytes, because the type cannot be decoded.
  std::optional<Difference> difference;
  /// Of tensors of one type: bytes that differ.
  std::optional<std::uint64_t> differing_bytes;
  /// Why nothing was compared: one side lacks it, shapes differ, types differ and one cannot be
  /// decoded. Empty if it was.
  std::string why_not;

  bool compared() const { return why_not.empty(); }
};

struct Comparison {
  std::vector<ComparedTensor> tensors;  ///< in a's order, then what b alone has, in its order
  /// Over the weights of all tensors of a that are not the same in b, byte for byte; `weighted` is
  /// NaN. None: nothing was measured.
  std::optional<TotalError> total_error;
  /// Of those, the tensors of the largest errors, the largest first: at most ten.
  std::vector<std::string> worst;
  std::uint64_t read_bytes = 0;
  std::uint64_t cached_bytes = 0;  ///< see RunReport::cached_bytes
  double wall_s = 0;
  std::string io;   ///< how files were read: see RunReport::io
  std::string isa;  ///< the kernels that ran
  int threads = 1;
  bool shared_spindle = false;  ///< both are on one: larger pieces of each are read

  /// Whether both have the same tensors, with the same shapes, and all could be compared.
  bool complete() const;
  /// Whether they have the same tensors, types and shapes and no byte of them differs.
  bool identical() const;
};

/// Compares the tensors of two models by name, metadata aside. Both are streamed once, within the
/// memory budget, on several threads, whatever their size. Sums are formed in an order that depends
/// on the threads, so the last digits of an error may differ between calls.
/// \throws Error (input_*, memory_budget, output_open of the trace, interrupted)
Comparison compare(const CompareOptions& options, Observer& observer);

}  // namespace sluice

#pragma GCC visibility pop
