#include "calibrate/stored_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <mutex>
#include <utility>

#include "sluice/error.h"
#include "weights/decode.h"

namespace sluice::calibrate {

std::shared_ptr<const MatrixBytes> read_bands(std::vector<weights::Band> bands,
                                              RangeReader& reader) {
  const auto read = [&](const io::ReadRange& range) {
    auto held = std::make_shared<PageBuffer>(range.size);
    reader.read(range, held->bytes());
    return HeldBytes(held);
  };
  auto bytes = std::make_shared<MatrixBytes>();
  bytes->bands = std::move(bands);
  for (const weights::Band& band : bytes->bands) {
    bytes->codes.push_back(band.stored == weights::Band::kNone ? nullptr : read(band.range));
    bytes->scales.push_back(band.scales ? read(*band.scales) : nullptr);
  }
  return bytes;
}

namespace {

/// Rows of a matrix, and the tensor's name in errors.
class MatrixRows : public linear::Rows {
 public:
  MatrixRows(const MatrixMap& map, const MatrixId& matrix, Isa isa)
      : map_(map), matrix_(matrix), isa_(isa) {}

  std::size_t rows() const override { return map_.rows(matrix_.tensor); }
  std::size_t columns() const override { return map_.columns(matrix_.tensor); }

 protected:
  const MatrixMap& map_;
  const MatrixId matrix_;
  const Isa isa_;

  /// Decodes rows, counted from the matrix's first, of what `bytes` hold.
  void decode_from(const MatrixBytes& bytes, std::size_t first, std::size_t count,
                   float* out) const {
    const weights::Weights& weights = map_.model().weights;
    const std::uint64_t begin = matrix_.number * rows() + first;  // of the tensor
    for (std::size_t i = 0; i < bytes.bands.size(); ++i) {
      const weights::Piece& piece = bytes.bands[i].pieces.front();
      const std::uint64_t from = std::max(begin, piece.first_row);
      const std::uint64_t to = std::min(begin + count, piece.first_row + piece.rows);
      if (from >= to) continue;
      const auto span_of = [](const HeldBytes& held) {
        return held ? std::span<const std::byte>(held->bytes()) : std::span<const std::byte>();
      };
      weights::decode_rows(weights, weights.sources[matrix_.tensor],
                           {bytes.bands[i], span_of(bytes.codes[i]), span_of(bytes.scales[i])},
                           piece, from - piece.first_row, to - from, isa_,
                           out + (from - begin) * columns());
    }
    refuse_not_finite(first, {out, count * columns()});
  }

 private:
  void refuse_not_finite(std::size_t first_row, std::span<const float> values) const {
    const auto bad =
        std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
    if (bad == values.end()) return;
    const auto at = static_cast<std::size_t>(bad - values.begin());
    throw Error(
        ErrorCode::input_value,
        fmt::format(
            "holds {} at row {}, column {}{}", std::isnan(*bad) ? "NaN" : "infinity",
            first_row + at / columns(), at % columns(),
            map_.matrices(matrix_.tensor) > 1 ? fmt::format(" of expert {}", matrix_.number) : ""),
        {.file = map_.model().files.front()->path(),
         .tensor = map_.tensor(matrix_.tensor).name,
         .cure = "The checkpoint is damaged or was converted wrongly: get it anew"});
  }
};

class RowsInMemory final : public MatrixRows {
 public:
  RowsInMemory(const MatrixMap& map, const MatrixId& matrix,
               std::shared_ptr<const MatrixBytes> bytes, Isa isa)
      : MatrixRows(map, matrix, isa), bytes_(std::move(bytes)) {}

  void decode(std::size_t first, std::size_t count, float* out) const override {
    decode_from(*bytes_, first, count, out);
  }

 private:
  const std::shared_ptr<const MatrixBytes> bytes_;
};

std::uint64_t rows_of_group(const MatrixMap& map, const MatrixId& matrix) {
  const std::uint64_t row =
      std::max<std::uint64_t>(1, stored_bytes(map.bands(matrix)) / map.rows(matrix.tensor));
  return std::clamp<std::uint64_t>(kGroupBytes / row, 1, map.rows(matrix.tensor));
}

class RowsOnDisk final : public MatrixRows {
 public:
  RowsOnDisk(const MatrixMap& map, const MatrixId& matrix, RangeReader& reader, std::size_t groups,
             Isa isa)
      : MatrixRows(map, matrix, isa),
        reader_(reader),
        most_groups_(groups),
        group_rows_(rows_of_group(map, matrix)) {}

  void decode(std::size_t first, std::size_t count, float* out) const override {
    for (std::size_t done = 0; done < count;) {
      const std::size_t row = first + done;
      const std::size_t number = row / group_rows_;
      const std::size_t part = std::min(count - done, (number + 1) * group_rows_ - row);
      decode_from(*group(number), row, part, out + done * columns());
      done += part;
    }
  }

 private:
  using Group = std::pair<std::size_t, std::shared_ptr<const MatrixBytes>>;

  RangeReader& reader_;
  const std::size_t most_groups_;
  const std::size_t group_rows_;
  mutable std::mutex mutex_;
  mutable std::list<Group> groups_;  // the last used first

  std::shared_ptr<const MatrixBytes> group(std::size_t number) const {
    const std::lock_guard lock(mutex_);
    auto found = std::ranges::find(groups_, number, &Group::first);
    if (found == groups_.end()) {
      const std::size_t first = number * group_rows_;
      groups_.emplace_front(
          number,
          read_bands(map_.bands(matrix_, first, std::min(group_rows_, rows() - first)), reader_));
      if (groups_.size() > most_groups_) groups_.pop_back();
    } else {
      groups_.splice(groups_.begin(), groups_, found);
    }
    return groups_.front().second;
  }
};

}  // namespace

std::shared_ptr<const linear::Rows> rows_in_memory(const MatrixMap& map, const MatrixId& matrix,
                                                   std::shared_ptr<const MatrixBytes> bytes,
                                                   Isa isa) {
  return std::make_shared<RowsInMemory>(map, matrix, std::move(bytes), isa);
}

std::shared_ptr<const linear::Rows> rows_on_disk(const MatrixMap& map, const MatrixId& matrix,
                                                 RangeReader& reader, std::size_t groups, Isa isa) {
  return std::make_shared<RowsOnDisk>(map, matrix, reader, groups, isa);
}

bool reads_by_rows(const MatrixMap& map, const MatrixId& matrix) {
  const std::uint64_t all = stored_bytes(map.bands(matrix));
  const std::uint64_t rows = rows_of_group(map, matrix);
  return stored_bytes(map.bands(matrix, 0, rows)) <= 2 * (all / map.rows(matrix.tensor) + 1) * rows;
}

}  // namespace sluice::calibrate
