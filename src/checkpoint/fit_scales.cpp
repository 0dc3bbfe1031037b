#include "checkpoint/fit_scales.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace sluice::checkpoint {
namespace {

std::optional<Scales::Type> factor_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return Scales::Type::f32;
    case Dtype::f16:
      return Scales::Type::f16;
    case Dtype::bf16:
      return Scales::Type::bf16;
    case Dtype::f8_e8m0:
      return Scales::Type::e8m0;
    default:
      return std::nullopt;
  }
}

bool covers(std::uint64_t blocks, std::uint64_t extent, const std::optional<std::uint64_t>& block) {
  return block && extent > 0 && (extent - 1) / *block + 1 == blocks;
}

/// ModelOpt's factors of blocks of a matrix are [down, 1, across, 1].
constexpr Quantization kModeloptBlocks = {.block_rows = 128, .block_columns = 128};
bool is_spread(const std::vector<std::uint64_t>& shape, const Stored& weights) {
  return shape.size() == 4 && shape[1] == 1 && shape[3] == 1 && weights.shape.size() == 2;
}

[[noreturn]] void refuse_fit(const FoundEntry& factors, const Stored& weights) {
  refuse(factors,
         fmt::format("its factors, {}, do not fit the weights, {}",
                     fmt::join(factors.entry->shape, " x "), fmt::join(weights.shape, " x ")));
}

/// Factors of each matrix, [down, across] of them: for blocks, rows or all of it.
void fit_matrix(std::uint64_t down, std::uint64_t across, const Stored& weights,
                const FoundEntry& factors, const Quantization& quantization, Scales& scales) {
  if (covers(down, weights.rows(), quantization.block_rows) &&
      covers(across, weights.columns(), quantization.block_columns)) {
    scales.block_rows = *quantization.block_rows;
    scales.block_columns = *quantization.block_columns;
  } else if (down == weights.rows() && across == 1 && !quantization.block_rows) {
    scales.block_rows = 1;
  } else if (down != 1 || across != 1 || quantization.block_rows) {
    refuse_fit(factors, weights);
  }
  scales.columns = across;
  scales.matrix = down * across;
}

}  // namespace

Scales fit_scales(const Stored& weights, const FoundEntry& factors,
                  const Quantization& quantization) {
  const Entry& entry = *factors.entry;
  const std::optional<Scales::Type> type = factor_of(entry.dtype);
  if (!type) {
    refuse(factors, fmt::format("its elements are {}, which are no factors", name(entry.dtype)));
  }
  const std::uint64_t rows = weights.rows();
  const std::uint64_t columns = weights.columns();
  Scales scales{.place = factors.place(),
                .type = *type,
                .block_rows = std::max<std::uint64_t>(rows, 1),
                .block_columns = std::max<std::uint64_t>(columns, 1)};
  const std::vector<std::uint64_t>& shape = entry.shape;
  if (shape.empty() || (shape.size() == 1 && shape[0] == 1)) {
    if (quantization.block_rows &&
        (rows > *quantization.block_rows || columns > *quantization.block_columns)) {
      refuse(factors, "one factor is too few for the blocks in config.json");
    }
    return scales;
  }
  const auto extents = std::min<std::ptrdiff_t>(2, std::ssize(weights.shape));
  const std::vector<std::uint64_t> matrices(weights.shape.begin(), weights.shape.end() - extents);
  if (quantization.method == Quantization::Method::modelopt && is_spread(shape, weights)) {
    fit_matrix(shape[0], shape[2], weights, factors, kModeloptBlocks, scales);
  } else if (shape == matrices) {
    scales.matrix = 1;
  } else if (matrices.empty() && shape.size() == 1 && shape[0] == rows) {
    scales.block_rows = 1;
  } else if (shape.size() == weights.shape.size() && shape.size() >= 2 &&
             std::equal(matrices.begin(), matrices.end(), shape.begin())) {
    fit_matrix(shape.end()[-2], shape.back(), weights, factors, quantization, scales);
  } else {
    refuse_fit(factors, weights);
  }
  return scales;
}

}  // namespace sluice::checkpoint
