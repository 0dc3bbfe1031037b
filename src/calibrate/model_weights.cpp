#include "calibrate/model_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "base/stop.h"
#include "calibrate/stored_rows.h"

namespace sluice::calibrate {
namespace {

// What is not matrices: the reader's buffers, and neighbours of rows that stay on the disk, one for each thread and
// one that is read.
std::uint64_t overhead(int threads) {
  return RangeReader::bytes() + (static_cast<std::uint64_t>(threads) + 1) * kGroupBytes;
}

}  // namespace

ModelWeights::ModelWeights(const ModelSource& model, io::Source& source, const Settings& settings)
    : map_(model),
      settings_(settings),
      budget_(settings.memory - std::min(settings.memory, overhead(settings.threads))),
      reader_(source, settings.stop),
      ahead_(map_, reader_, budget_) {}

std::uint64_t ModelWeights::least_memory(const MatrixMap& map,
                                         const std::vector<std::string>& tensors, int threads) {
  std::uint64_t attention = 0;
  std::uint64_t others = 0;
  for (const std::string& name : tensors) {
    const auto index = map.find(name);
    if (!index || map.tensor(*index).elements() == 0) continue;
    const bool one = name.find("_exps.") != name.npos;
    const std::uint64_t matrices = one ? 1 : map.matrices(*index);
    (name.find(".attn_") != name.npos ? attention : others) +=
        matrices * stored_bytes(map.bands({*index, 0}));
  }
  return std::max(attention, others) + overhead(threads);
}

void ModelWeights::expect(const std::vector<std::string>& tensors) {
  const std::vector<MatrixId> matrices = map_.in_order_of_use(tensors);
  for (const MatrixId& matrix : matrices) expected_.insert(matrix.tensor);
  ahead_.expect(matrices);
}

MatrixId ModelWeights::id_of(std::string_view tensor, std::uint64_t number) const {
  const auto index = map_.find(tensor);
  if (!index || number >= map_.matrices(*index)) {
    throw std::logic_error(fmt::format("no matrix {} of {}", number, tensor));
  }
  return {*index, number};
}

// An embedding of which few rows are wanted, or what is used but once.
bool ModelWeights::stays_on_disk(const MatrixId& matrix) const {
  return !expected_.contains(matrix.tensor) && stored_bytes(map_.bands(matrix)) > budget_ / 2 &&
         reads_by_rows(map_, matrix);
}

std::shared_ptr<const linear::Rows> ModelWeights::matrix(std::string_view tensor,
                                                         std::uint64_t number) {
  throw_if_stopped(settings_.stop);
  const MatrixId matrix = id_of(tensor, number);
  if (stays_on_disk(matrix)) {
    return rows_on_disk(map_, matrix, reader_, static_cast<std::size_t>(settings_.threads),
                        settings_.isa);
  }
  return rows_in_memory(map_, matrix, ahead_.take(matrix), settings_.isa);
}

std::vector<float> ModelWeights::numbers(std::string_view tensor) {
  const std::size_t index = id_of(tensor, 0).tensor;
  const std::uint64_t rows = map_.rows(index);
  const std::uint64_t columns = map_.columns(index);
  std::vector<float> values(map_.matrices(index) * rows * columns);
  for (std::uint64_t i = 0; i < map_.matrices(index); ++i) {
    matrix(tensor, i)->decode(0, rows, values.data() + i * rows * columns);
  }
  return values;
}

}  // namespace sluice::calibrate
