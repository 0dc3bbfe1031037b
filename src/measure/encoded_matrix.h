#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/page_buffer.h"
#include "base/team.h"
#include "linear/matrix.h"
#include "linear/moments.h"
#include "quantize/chunk_encoder.h"
#include "sluice/tensor_type.h"

namespace sluice::measure {

/// How rows of a matrix are encoded.
struct Encoding {
  std::span<const float> importance = {};  ///< [columns]; empty: none
  float bias_correction = 1;
  bool bf16 = false;  ///< weights are rounded to BF16 first
  /// Of the inputs' second moments: types that have a kernel for it are encoded with error feedback. Null:
  /// all are encoded without.
  const linear::Factor* factor = nullptr;
};

/// What a worker encodes with.
struct EncodingScratch {
  std::vector<std::byte> blocks = {};
  std::optional<PageBuffer> feedback = {};

  static std::uint64_t bytes(std::uint64_t columns, bool with_feedback);
};

/// Rows that a worker encodes at once, at most.
inline constexpr std::size_t kRowsOfWorker = 56;

/// Decodes rows as an encoder gets them. \throws Error (input_value)
void read_rows(const linear::Rows& rows, std::size_t first, std::size_t count,
               const Encoding& encoding, float* out);

/// Encodes rows [at most kRowsOfWorker, columns] to `blocks`. \throws Error (interrupted)
void encode_rows(const linear::ConstMatrix& values, TensorType type, const Encoding& encoding,
                 const EncoderSettings& settings, EncodingScratch& scratch, std::byte* blocks);

/// Encodes them and decodes what comes out, to `out`.
void recode_rows(const linear::ConstMatrix& values, TensorType type, const Encoding& encoding,
                 const EncoderSettings& settings, EncodingScratch& scratch, float* out);

/// A matrix as a type has it, in memory.
class EncodedMatrix final : public linear::Rows {
 public:
  /// \throws Error (input_value, interrupted)
  EncodedMatrix(const linear::Rows& rows, TensorType type, const Encoding& encoding,
                const EncoderSettings& settings, Team& team);

  static std::uint64_t bytes(TensorType type, std::uint64_t rows, std::uint64_t columns);
  /// That encoding takes besides.
  static std::uint64_t scratch_bytes(std::uint64_t columns, bool with_feedback, int threads);

  std::size_t rows() const override { return rows_; }
  std::size_t columns() const override { return columns_; }
  void decode(std::size_t first, std::size_t count, float* out) const override;

 private:
  std::size_t rows_;
  std::size_t columns_;
  TensorType type_;
  Isa isa_;
  std::vector<std::byte> blocks_;
};

/// Rows that are encoded anew whenever they are asked for, as of an embedding that has far more.
class RecodedRows final : public linear::Rows {
 public:
  /// What is referred to outlives this.
  RecodedRows(const linear::Rows& rows, TensorType type, const Encoding& encoding,
              const EncoderSettings& settings)
      : of_(rows), type_(type), encoding_(encoding), settings_(settings) {}

  std::size_t rows() const override { return of_.rows(); }
  std::size_t columns() const override { return of_.columns(); }
  void decode(std::size_t first, std::size_t count, float* out) const override;

 private:
  const linear::Rows& of_;
  const TensorType type_;
  const Encoding encoding_;
  const EncoderSettings& settings_;
};

}  // namespace sluice::measure
