#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "weights/ordered_view.h"

namespace sluice::weights {

/// What a stored tensor's bands come to, whatever their size.
struct BandNeeds {
  std::uint64_t smallest_bytes = 0;
  std::uint64_t total_bytes = 0;
  std::uint64_t matrix_bytes = 0;
};

/// The bands of one stored tensor.
class StoredBands {
 public:
  StoredBands(const Weights& weights, std::size_t stored, std::span<const Wanted> wanted,
              std::span<const Use> uses);

  std::optional<Band> next(std::uint64_t most_bytes);

  /// Matrices that came in columns, so far.
  std::uint64_t matrices() const { return matrices_; }

  /// What decides how the tensor is cut: where this is equal, so are the needs.
  std::vector<std::uint64_t> signature() const;

  /// To be called before the first band was taken.
  BandNeeds needs();

 private:
  /// A transposed matrix, or several with columns in the same stored rows.
  struct Columns {
    std::uint64_t begin = 0;   // position of the first
    std::uint64_t stride = 0;  // from one to the next
    std::uint64_t count = 0;
    std::uint64_t block = 0;  // so many stay together
    std::uint64_t bytes = 0;  // of what becomes of them all
    std::uint64_t end = 0;    // position after the last

    // While they are walked through.
    std::uint64_t next = 0;
    std::uint64_t at_once = 0;
  };

  /// Positions between which bands are like those just before.
  struct Repetition {
    std::uint64_t begin;
    std::uint64_t end;
  };

  const Stored& stored_;
  const std::size_t index_;
  StoredUnit unit_;
  std::uint64_t end_;  // position
  std::vector<OrderedView> views_;
  std::uint64_t at_ = 0;
  std::uint64_t covered_ = 0;  // what is read on end goes so far, or further
  std::optional<Columns> columns_;
  std::uint64_t matrices_ = 0;

  bool find_next();
  void extend_cover(std::uint64_t end);
  std::uint64_t next_begin() const;
  std::uint64_t smallest_end() const;
  std::uint64_t largest_end(std::uint64_t smallest, std::uint64_t most_bytes);
  std::uint64_t cut_from(std::uint64_t position) const;
  std::uint64_t cut_until(std::uint64_t position) const;
  std::uint64_t cost(std::uint64_t begin, std::uint64_t end) const;
  std::optional<Columns> columns_until(std::uint64_t end) const;
  std::uint64_t smallest_bytes(const Columns& columns) const;
  Repetition find_repetition() const;
  Band next_columns();
  Band band(std::uint64_t begin, std::uint64_t end) const;
};

}  // namespace sluice::weights
