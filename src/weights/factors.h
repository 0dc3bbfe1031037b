#pragma once

#include <cstdint>

#include "weights/decode.h"

namespace sluice::weights {

/// Bytes of a factor.
std::uint64_t factor_size(Scales::Type type);

/// Index of the factor of the weight in a row of the stored tensor, its matrices one below the
/// other, and a column.
std::uint64_t factor_index(const Stored& stored, std::uint64_t row, std::uint64_t column);

/// The factors of a band.
class Factors {
 public:
  /// \pre the stored tensor has factors
  Factors(const Stored& stored, const BandBytes& bytes)
      : stored_(stored), bytes_(bytes), block_columns_(stored.scales->block_columns) {}

  /// Columns that have a factor together, from a multiple of it on.
  std::uint64_t block_columns() const { return block_columns_; }

  /// Where the factor of a weight is, among those of the band.
  std::uint64_t index(std::uint64_t row, std::uint64_t column) const {
    return factor_index(stored_, row, column) - bytes_.band.first_scale;
  }
  /// What the factors of a row have in common.
  float common(std::uint64_t row) const;
  /// The factor of this index, rounded to F32 where it is a product or quotient of two numbers.
  float at(std::uint64_t index, float common, Isa isa) const;
  /// The same of as many as follow one another.
  void copy(std::uint64_t index, std::uint64_t count, float common, Isa isa, float* out) const;

 private:
  float stored_at(std::uint64_t index) const;

  const Stored& stored_;
  const BandBytes& bytes_;
  const std::uint64_t block_columns_;
};

}  // namespace sluice::weights
