#pragma once

#include <cstddef>
#include <cstdint>

#include "codec/feedback.h"
#include "linear/matrix.h"
#include "linear/moments.h"
#include "sluice/codec.h"
#include "sluice/tensor_type.h"

// Quantizing with error feedback: the columns of a matrix get their codes one block after the other,
// and what one block's codes get wrong the blocks behind it make up for, as far as inputs that come
// together allow (GPTQ: Frantar et al., 2022; LDLQ: Chee et al., 2023). Sweeps of coordinate descent
// follow. Last, each row is multiplied so that least squares has not shrunk it: see Settings.

namespace sluice::feedback {

struct Settings {
  TensorType type = TensorType::iq1_m;
  Effort effort = Effort::best;  ///< of the searches within a block
  /// Of coordinate descent, after the pass. With n columns, the pass takes 2 n operations a weight and
  /// each sweep 2 n more.
  int sweeps = 2;
  /// How much of the shrinkage is taken back. By f = w H w^T / w H q^T, q being what w decodes to, a
  /// row is unbiased. Its noise then enlarges what the next norm divides by, by sqrt(f), which the row
  /// gives back too: its scales are multiplied by 1 + bias_correction * (f sqrt(f) - 1). At most 1.6
  /// is taken for f.
  float bias_correction = 1;
  Isa isa = Isa::portable;
};

/// Rows that are encoded at once by one worker, so that a panel of U serves many.
inline constexpr std::size_t kRowsAtOnce = 112;

/// What became of rows: sums of squares under H, over the tokens' number.
struct Errors {
  double error = 0;  ///< tr E H E^T
  double norm = 0;   ///< tr W H W^T
};

/// Bytes of scratch that one worker needs for rows of n weights: 2 * kRowsAtOnce * n floats, and some
/// that do not depend on n.
std::uint64_t scratch_bytes(std::size_t n);

/// Encodes rows to `out` [rows, row_bytes(type, n)].
/// \param values   [rows, n], finite; n is a multiple of the type's block. At most kRowsAtOnce,
///                 and whole groups of rows where the type stores several together
/// \param factor   of the moments of these columns
/// \param scratch  scratch_bytes(n)
/// \pre find_feedback(settings.type) is not null
Errors encode_rows(const linear::ConstMatrix& values, const linear::Factor& factor,
                   const Settings& settings, std::byte* scratch, std::byte* out);

}  // namespace sluice::feedback
