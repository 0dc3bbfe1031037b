#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/team.h"
#include "linear/matrix.h"
#include "quantize/chunk_encoder.h"
#include "sluice/tensor_type.h"

namespace sluice::measure {

/// How rows of a matrix are encoded.
struct Encoding {
  std::span<const float> importance = {};  ///< [columns]; empty: none
  float bias_correction = 1;
  bool bf16 = false;  ///< weights are rounded to BF16 first
};

/// Decodes rows as an encoder gets them. \throws Error (input_value)
void read_rows(const linear::Rows& rows, std::size_t first, std::size_t count,
               const Encoding& encoding, float* out);

/// Encodes rows [rows, columns] and decodes what comes out, to `out`.
/// \param blocks  is grown as needed
void recode_rows(const linear::ConstMatrix& values, TensorType type, const Encoding& encoding,
                 const EncoderSettings& settings, std::vector<std::byte>& blocks, float* out);

/// A matrix as a type has it, in memory.
class EncodedMatrix final : public linear::Rows {
 public:
  /// \throws Error (input_value, interrupted)
  EncodedMatrix(const linear::Rows& rows, TensorType type, const Encoding& encoding,
                const EncoderSettings& settings, Team& team);

  static std::uint64_t bytes(TensorType type, std::uint64_t rows, std::uint64_t columns);
  /// That encoding takes besides.
  static std::uint64_t scratch_bytes(std::uint64_t columns, int threads);

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
