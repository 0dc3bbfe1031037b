#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "sluice/tensor_type.h"

#pragma GCC visibility push(default)

namespace sluice {

/// Decodes `elements` weights from `blocks` to `out`: of types that are all blocks any number of whole
/// blocks; of others one row, or a group of rows that are stored together, which come one after the
/// other. Exact: each value has the bits that the format defines. Blocks may hold anything; a scale of
/// NaN gives NaN.
using DecodeFunction = void (*)(const std::byte* blocks, float* out, std::size_t elements) noexcept;

/// How much of the search space an encoder looks through. Types that are not searched ignore it.
enum class Effort {
  fast,  ///< no more error than the peers, several times as fast as best
  best,  ///< the least error
};

/// "fast", "best".
std::string_view name(Effort effort) noexcept;

/// The rows that an encoder turns into blocks.
struct EncodeRows {
  const float* values;       ///< [rows, row_elements], finite
  std::size_t rows;          ///< number of rows
  std::size_t row_elements;  ///< weights in a row, a multiple of the type's block
  /// [row_elements] importance of each column, finite and not negative; the same for all rows.
  /// Null: no importance is known.
  const float* importance;
  Effort effort = Effort::best;
  /// How much of the shrinkage of least squares is taken back: with 0, a super-block's scale is that
  /// of the least error; with 1, it makes the decoded values unbiased; in between and a little
  /// beyond it is on the line through the two. Not negative. Of the types with super-blocks, Q6_K,
  /// TQ1_0 and TQ2_0 ignore it, and so do all types without.
  float bias_correction = 1;
};

/// Encodes whole rows to `out`, which holds row_size() bytes for each: its scale, if the type's rows
/// have one, then its blocks. Groups of rows that are stored together are whole. Deterministic: the same bytes for the
/// same input, whatever the instruction set. Cannot fail: for every finite input the decoded blocks
/// are finite, zeros decode to zeros, and the error is never larger than that of coding zeros.
using EncodeFunction = void (*)(const EncodeRows& rows, std::byte* out) noexcept;

/// Whether all floating-point scales of `count` blocks (of what DecodeFunction takes) are numbers:
/// every 16-bit scale and minimum, every 8-bit exponent and float by its own type's rule, the scales
/// of rows, which must not be so large that a weight could be infinite; of F32, F16, BF16 and F64 every
/// value. Where they are, every weight is finite.
using ScalesFiniteFunction = bool (*)(const std::byte* blocks, std::size_t count) noexcept;

/// One row of the codec table.
struct Codec {
  TensorType type;
  DecodeFunction decode;  ///< null for types that are only copied
  EncodeFunction encode;  ///< null for types that are only read
  ScalesFiniteFunction scales_finite;
  /// So many columns at a time, and multiples of it, are encoded to the same blocks whether alone,
  /// with their part of the importance, or within longer rows; 0: codes depend on the whole row.
  std::size_t column_block;
};

/// Instruction sets that the codecs are compiled for. Which one runs shows in the speed only.
enum class Isa {
  portable,  ///< any x86-64, or any other machine
  avx2,      ///< AVX2, FMA, BMI2 and F16C
  avx512bw,  ///< AVX-512 F, BW, DQ, VL and CD: Skylake-X and later
  avx512,    ///< those and VBMI, VBMI2 and VNNI: Ice Lake, Zen 4 and later
  neon,      ///< what every 64-bit ARM processor has
};

/// "portable", "avx2", "avx512bw", "avx512", "neon".
std::string_view name(Isa isa) noexcept;

/// Those that this machine can run and the library was built for (SLUICE_KERNELS), from the least to
/// the best. Empty only on another machine than the one that a build for `native` was for.
std::vector<Isa> supported_isas();

/// The last of supported_isas().
Isa best_isa() noexcept;

/// The codecs for an instruction set.
/// \pre `isa` is one of supported_isas()
std::span<const Codec> codecs(Isa isa = best_isa()) noexcept;

/// The codec of a type, or null if it has none.
/// \pre `isa` is one of supported_isas()
const Codec* find_codec(TensorType type, Isa isa = best_isa()) noexcept;

/// Whether blocks of a type can be decoded.
bool can_decode(TensorType type) noexcept;

/// Decodes `elements` weights of rows of `row_elements` each, which begin at `bytes`: a multiple of a
/// block's; of types that are not all blocks, whole rows, and whole groups of rows.
/// \pre codec.decode is not null
void decode_rows(const Codec& codec, const std::byte* bytes, std::size_t elements,
                 std::size_t row_elements, float* out) noexcept;

/// Whether all floating-point scales of what decode_rows() would decode are numbers.
bool rows_finite(const Codec& codec, const std::byte* bytes, std::size_t elements,
                 std::size_t row_elements) noexcept;

}  // namespace sluice

#pragma GCC visibility pop
