#include "measure/row_errors.h"

#include <algorithm>

#include "base/float16.h"
#include "base/stop.h"
#include "codec/measures.h"
#include "codec/preparation.h"
#include "codec/row_groups.h"
#include "sluice/codec.h"

namespace sluice::measure {
namespace {

// 128 KiB of F32: with its blocks it stays in the second-level cache.
constexpr std::uint64_t kStrip = 32768;

std::uint64_t strip_rows(std::uint64_t columns) {
  return std::max<std::uint64_t>(1, kStrip / columns);
}

}  // namespace

std::uint64_t RowErrors::memory_bytes(std::uint64_t columns) {
  constexpr std::uint64_t kStoredTogether = 4;  // rows of the largest groups
  return 3 * (strip_rows(columns) + kStoredTogether) * columns *
         sizeof(float);  // no blocks are larger than F32
}

void RowErrors::add(const RowsRequest& request, const RowRun& run, RowSums& sums) {
  const std::size_t columns = request.rows.columns();
  for (std::uint64_t done = 0; done < run.count;) {
    const std::uint64_t rows = std::min(strip_rows(columns), run.count - done);
    values_.resize(rows * columns);
    request.rows.decode(run.first + done, rows, values_.data());
    if (request.bf16) {
      for (float& value : values_) value = bf16_to_f32(f32_to_bf16(value));
    }
    add_strip(request, rows, sums);
    done += rows;
  }
}

void RowErrors::add_strip(const RowsRequest& request, std::size_t rows, RowSums& sums) {
  const std::size_t columns = request.rows.columns();
  decoded_.resize(values_.size());
  const auto of_row = [&](std::size_t row, const float* decoded) {
    return weighted_errors(std::span(values_).subspan(row * columns, columns),
                           decoded + row * columns, request.squares.data(), settings_.isa);
  };
  for (std::size_t row = 0; row < rows; ++row) {
    sums.powers.push_back(of_row(row, values_.data()).norm);
    sums.power += sums.powers.back();
  }
  for (const TensorType type : request.types) {
    throw_if_stopped(settings_.stop);
    const Codec& codec = prepared_codec(type, settings_.isa);
    // Zeros in place of the rows that are stored with the last ones change nothing of these.
    const std::size_t stored = whole_groups(type, rows);
    values_.resize(std::max(values_.size(), stored * columns));
    decoded_.resize(values_.size());
    blocks_.resize(byte_size(type, stored * columns, columns));
    codec.encode({.values = values_.data(),
                  .rows = stored,
                  .row_elements = columns,
                  .importance = request.importance.empty() ? nullptr : request.importance.data(),
                  .effort = settings_.effort,
                  .bias_correction = request.bias_correction},
                 blocks_.data());
    decode_rows(codec, blocks_.data(), stored * columns, columns, decoded_.data());
    double error = 0;
    for (std::size_t row = 0; row < rows; ++row) error += of_row(row, decoded_.data()).error;
    sums.errors[type] += error;
  }
}

}  // namespace sluice::measure
