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

/// What to check, and how.
struct VerifyOptions : StreamingOptions {
  std::string output = {};   ///< a GGUF file, or any part of a split one
  std::string against = {};  ///< what it was made from, GGUF or checkpoint; empty: not compared
  std::string imatrix = {};  ///< the importance matrix it was made with; empty: none is known
};

/// What can be wrong with an output.
enum class Fault {
  structure,       ///< the container: header, offsets, file sizes, parts
  padding,         ///< bytes between tensors are not zero
  missing_tensor,  ///< the source has a tensor that the output lacks
  extra_tensor,    ///< the output has a tensor that the source lacks
  shape,           ///< a tensor's extents differ from the source's
  copy,            ///< bytes of a tensor of the source's type differ from the source's
  scale,           ///< a scale, or a value of a floating-point tensor, is NaN or infinite
  error,           ///< weights are further from the source's than a right encoding is
  source,          ///< the source has NaN or infinities here: nothing to compare with
};

/// "structure", "padding", "missing tensor", ...
std::string_view name(Fault fault) noexcept;

/// Rows of a tensor. Those at the ends may be affected in part.
struct RowRange {
  std::uint64_t expert = 0;  ///< the matrix, for tensors of more than two extents
  std::uint64_t first = 0;   ///< in that matrix
  std::uint64_t last = 0;    ///< inclusive; beyond the matrix's rows if the range crosses into more
};

/// One thing that is wrong, in one place.
struct Finding {
  Fault fault;
  std::string file;    ///< the output's file
  std::string tensor;  ///< empty: the file as a whole
  std::string what;    ///< a sentence that stands alone: place, figures
  std::optional<RowRange> rows;
  std::uint64_t offset = 0;  ///< in `file`
  std::uint64_t size = 0;    ///< bytes; 0: no range
  double error = 0;          ///< Fault::error: sum (x - y)^2 / sum x^2 at its worst there
  double limit = 0;          ///< Fault::error: the most that would be right there
};

/// What was found out about one tensor of the output.
struct VerifiedTensor {
  std::string name;
  TensorType type = TensorType::f32;
  std::vector<std::uint64_t> shape;  ///< row length first
  std::uint64_t bytes = 0;
  std::uint32_t crc32 = 0;        ///< of its bytes, as zlib, gzip and `crc32` have it
  std::uint64_t bad_regions = 0;  ///< blocks (or runs of 256 floats) that are damaged
  /// sum (x - y)^2 / sum x^2 over all finite weights; 0 for copied tensors, NaN if there was
  /// nothing to compare with.
  double plain_error = 0;
  bool all_zero = false;  ///< all its bytes are zero
};

struct VerifyReport {
  std::vector<Finding> findings;      ///< the first of each tensor, in the output's order
  std::uint64_t findings_in_all = 0;  ///< neighbouring damaged regions are one finding
  std::vector<VerifiedTensor> tensors;
  std::uint64_t read_bytes = 0;
  std::uint64_t cached_bytes = 0;  ///< see RunReport::cached_bytes
  double wall_s = 0;
  std::string io;   ///< how files were read: see RunReport::io
  std::string isa;  ///< the kernels that ran
  int threads = 1;
  bool shared_spindle = false;  ///< output and source are on one: larger pieces of each are read

  bool good() const { return findings_in_all == 0; }
};

/// Checks an output: its container; that all scales and values are finite; and, against its source,
/// that every block is as near to it as a right encoding is (copied tensors: byte by byte). Both
/// are streamed once, within the memory budget, on several threads, whatever their size.
///
/// Of types of few bits, a single block may be off by chance, so that only neighbours count. NVFP4
/// with a scale in a tensor of its own (NAME.scale) is not compared.
///
/// Any GGUF file will do, whoever made it; the types of the tensors are the output's choice. Damage
/// that stays within the error of a right encoding is not seen (a low bit of a code). Without
/// `imatrix`, blocks of an output that was made with extreme importances could be taken for
/// damaged.
/// \throws Error if a file cannot be opened or read, if the source or the importance matrix is bad,
///         if the budget is too small, or if it is told to stop (interrupted). What is wrong with
///         the output is a finding.
VerifyReport verify(const VerifyOptions& options, Observer& observer);

}  // namespace sluice

#pragma GCC visibility pop
