#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "sluice/codec.h"

namespace sluice {

/// Buffers of one worker, allocated once.
struct Scratch {
  std::vector<float> values;      ///< a tile of decoded input
  std::vector<float> decoded;     ///< the same tile after encoding; empty if error is not measured
  std::vector<float> importance;  ///< one row
  int worker = 0;                 ///< whose it is, for the trace
  std::int64_t decode_ns = 0;     ///< part of the last chunk's time that went into decoding input
};

/// Which kernels do the work, how hard they try, whether their work is checked, and what ends it.
struct Kernels {
  Isa isa;
  Effort effort;
  bool verify = false;                      ///< wants scratch with room to decode again
  const std::atomic<bool>* stop = nullptr;  ///< looked at before each tile; may be null
};

/// Sums from which errors are computed.
struct ErrorSums {
  double weighted_error = 0;
  double weighted_norm = 0;
  double plain_error = 0;
  double plain_norm = 0;

  ErrorSums& operator+=(const ErrorSums& other) {
    weighted_error += other.weighted_error;
    weighted_norm += other.weighted_norm;
    plain_error += other.plain_error;
    plain_norm += other.plain_norm;
    return *this;
  }
};

/// Decodes a chunk's input tile by tile and encodes it to `output`, adding to `sums` if the scratch
/// has room to decode again. For a copied tensor `output` is empty, and the input is only checked.
/// \param file  the input file's name, for messages
/// \throws Error (input_value) naming tensor, row and column of the first NaN or infinity;
///         (output_damaged) naming tensor and row, where `verify` finds blocks that no right
///         encoder makes of these weights; (interrupted)
void encode_chunk(const PlannedTensor& tensor, const Chunk& chunk, Kernels kernels,
                  const ImportanceMatrix* imatrix, const std::string& file,
                  std::span<const std::byte> input, std::span<std::byte> output, Scratch& scratch,
                  ErrorSums& sums);

}  // namespace sluice
