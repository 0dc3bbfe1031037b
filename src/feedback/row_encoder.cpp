#include "feedback/row_encoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "linear/block.h"
#include "sluice/tensor_type.h"

namespace sluice::feedback {
namespace {

using linear::ConstMatrix;
using linear::Matrix;

constexpr std::size_t kPanel = linear::Triangle::kPanel;
constexpr std::size_t kMostBlockBytes = 512;
constexpr double kMostUnbiased = 1.6;  // what f is limited to

std::size_t product_scratch() {
  std::size_t most = 0;
  for (const Isa isa : supported_isas()) {
    most = std::max(most, linear::block_scratch(linear::kernels(isa), kPanel, kPanel));
  }
  return most;
}

/// Part of a matrix.
template <class Any>
Any part(const Any& m, std::size_t row, std::size_t rows, std::size_t column, std::size_t columns) {
  return {m.row(row) + column, rows, columns, m.stride};
}
template <class Any>
Any columns_of(const Any& m, std::size_t column, std::size_t columns) {
  return part(m, 0, m.rows, column, columns);
}

void fill_with_zeros(const Matrix& m) {
  for (std::size_t r = 0; r < m.rows; ++r) std::fill_n(m.row(r), m.columns, 0.0f);
}

}  // namespace

std::size_t RowEncoder::scratch_numbers(std::size_t n) {
  return 2 * kRowsAtOnce * n + 3 * kRowsAtOnce * kPanel + kPanel * kPanel + 2 * kPanel +
         product_scratch();
}

RowEncoder::RowEncoder(const ConstMatrix& weights, const linear::Factor& factor,
                       const Settings& settings, float* scratch, std::byte* out)
    : weights_(weights),
      factor_(factor),
      settings_(settings),
      kernel_(*find_feedback(settings.type, settings.isa)),
      products_(linear::kernels(settings.isa)),
      block_bytes_(info(settings.type).block_bytes),
      row_bytes_(row_size(settings.type, weights.columns)),
      out_(out) {
  const std::size_t rows = (weights.rows + kFeedbackRows - 1) / kFeedbackRows * kFeedbackRows;
  const auto take = [&](std::size_t of_rows, std::size_t columns) {
    const Matrix taken = {scratch, of_rows, columns, columns};
    scratch += of_rows * columns;
    return taken;
  };
  errors_ = take(rows, weights.columns);
  fed_ = take(rows, weights.columns);
  values_ = take(rows, kPanel);
  pull_ = take(rows, kPanel);
  other_ = take(rows, kPanel);
  unit_ = take(kPanel, kPanel);
  weight_ = take(1, kPanel).data;
  metric_ = take(1, kPanel).data;
  product_scratch_ = scratch;
}

RowEncoder::Panel RowEncoder::panel(std::size_t index) const {
  return {index, index * kPanel, factor_.u.panel(index).columns};
}

void RowEncoder::load_unit(const Panel& panel) {
  const ConstMatrix u = factor_.u.panel(panel.index);
  for (std::size_t i = 0; i < panel.count; ++i) {
    float* const row = unit_.row(i);
    std::fill_n(row, i, 0.0f);
    row[i] = 1;
    std::copy(u.row(panel.first + i) + i + 1, u.row(panel.first + i) + panel.count, row + i + 1);
  }
}

void RowEncoder::load(const Panel& panel) {
  load_unit(panel);
  const float* const h = factor_.local.data() + panel.first * kPanel;
  for (std::size_t i = 0; i < panel.count; ++i) {
    weight_[i] = factor_.u.diagonal(panel.first + i);
    metric_[i] = h[i * kPanel + i];
  }
  for (std::size_t r = 0; r < weights_.rows; ++r) {
    std::copy_n(weights_.row(r) + panel.first, panel.count, values_.row(r));
  }
  for (std::size_t r = weights_.rows; r < values_.rows; ++r) {
    std::fill_n(values_.row(r), panel.count, 0.0f);
  }
}

void RowEncoder::add_product(const ConstMatrix& a, const ConstMatrix& b, const Matrix& out) {
  linear::add_block(products_, {a.data, a.stride, false}, {b.data, b.stride, true}, a.columns, out,
                    product_scratch_);
}

void RowEncoder::add_transposed(const ConstMatrix& a, const ConstMatrix& b, const Matrix& out) {
  linear::add_block(products_, {a.data, a.stride, false}, {b.data, b.stride, false}, a.columns, out,
                    product_scratch_);
}

void RowEncoder::call(Step step, const Panel& panel, std::size_t at, const ConstMatrix& unit,
                      const ConstMatrix& shift) {
  std::array<std::byte, kFeedbackRows * kMostBlockBytes> blocks{};
  const std::size_t head = kernel_.row_head;
  const std::size_t stride = head + block_bytes_;
  const std::size_t column = panel.first + at;
  const std::size_t before = head + column / kernel_.columns * block_bytes_;
  for (std::size_t r = 0; r < errors_.rows; r += kFeedbackRows) {
    const std::size_t count = std::min(kFeedbackRows, weights_.rows - r);
    std::byte* const rows = out_ + r * row_bytes_;
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(&blocks[i * stride], rows + i * row_bytes_, head);
      std::memcpy(&blocks[i * stride + head], rows + i * row_bytes_ + before, block_bytes_);
    }
    step({.values = {values_.row(r) + at, values_.stride},
          .shift = {shift.row(r), shift.stride},
          .unit = unit.data,
          .stride = unit.stride,
          .weight = weight_ + at,
          .metric = metric_ + at,
          .effort = settings_.effort},
         blocks.data(), stride, {errors_.row(r) + column, errors_.stride});
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(rows + i * row_bytes_ + before, &blocks[i * stride + head], block_bytes_);
    }
  }
}

void RowEncoder::choose_row_scales() {
  float* const diagonal = errors_.row(0);  // of no use yet
  for (std::size_t i = 0; i < weights_.columns; ++i) {
    diagonal[i] = factor_.local[i * kPanel + i % kPanel];
  }
  for (std::size_t r = 0; r < weights_.rows; ++r) {
    kernel_.choose_row_scale({.values = weights_.row(r),
                              .rows = 1,
                              .row_elements = weights_.columns,
                              .importance = diagonal,
                              .effort = settings_.effort},
                             out_ + r * row_bytes_);
  }
}

void RowEncoder::encode() {
  if (kernel_.row_head > 0) choose_row_scales();
  for (std::size_t p = 0; p < factor_.u.panels(); ++p) {
    const Panel here = panel(p);
    load(here);
    const Matrix fed = columns_of(fed_, here.first, here.count);
    fill_with_zeros(fed);
    const ConstMatrix u = factor_.u.panel(p);
    add_product(columns_of(errors_, 0, here.first), part(u, 0, here.first, 0, here.count), fed);
    for (std::size_t at = 0; at < here.count; at += kernel_.columns) {
      const Matrix own = columns_of(fed, at, kernel_.columns);
      const Matrix errors = columns_of(errors_, here.first, here.count);
      add_product(columns_of(errors, 0, at), part(unit_, 0, at, at, kernel_.columns), own);
      const Matrix unit = part(unit_, at, kernel_.columns, at, kernel_.columns);
      call(kernel_.encode, here, at, unit, own);
      add_product(columns_of(errors, at, kernel_.columns), unit, own);
    }
  }
}

ConstMatrix RowEncoder::rows_of_u(const Panel& panel, std::size_t later) const {
  const ConstMatrix u = factor_.u.panel(later);
  return later == panel.index ? ConstMatrix(part(unit_, 0, panel.count, 0, panel.count))
                              : part(u, panel.first, panel.count, 0, u.columns);
}

void RowEncoder::pull(const Panel& panel, const Matrix& out) {
  fill_with_zeros(out);
  for (std::size_t p = panel.index; p < factor_.u.panels(); ++p) {
    const Panel later = this->panel(p);
    const Matrix weighted = columns_of(other_, 0, later.count);
    std::array<float, kPanel> weight;
    for (std::size_t j = 0; j < later.count; ++j) {
      weight[j] = factor_.u.diagonal(later.first + j);
    }
    for (std::size_t r = 0; r < weighted.rows; ++r) {
      const float* const fed = fed_.row(r) + later.first;
      for (std::size_t j = 0; j < later.count; ++j) weighted.row(r)[j] = fed[j] * weight[j];
    }
    add_transposed(weighted, rows_of_u(panel, p), out);
  }
}

void RowEncoder::improve() {
  for (std::size_t p = 0; p < factor_.u.panels(); ++p) improve(panel(p));
}

void RowEncoder::improve(const Panel& panel) {
  load(panel);
  const ConstMatrix h = {factor_.local.data() + panel.first * kPanel, panel.count, panel.count,
                         kPanel};
  const Matrix errors = columns_of(errors_, panel.first, panel.count);
  const Matrix change = columns_of(other_, 0, panel.count);
  pull(panel, columns_of(pull_, 0, panel.count));
  for (std::size_t r = 0; r < errors.rows; ++r) {
    for (std::size_t j = 0; j < panel.count; ++j) change.row(r)[j] = -errors.row(r)[j];
  }
  for (std::size_t at = 0; at < panel.count; at += kernel_.columns) {
    const std::size_t behind = at + kernel_.columns;
    const Matrix own = columns_of(change, at, kernel_.columns);
    const Matrix of_others = columns_of(pull_, at, kernel_.columns);
    const ConstMatrix own_h = part(h, at, kernel_.columns, at, kernel_.columns);
    add_product(own, own_h, of_others);
    call(kernel_.improve, panel, at, own_h, of_others);
    for (std::size_t r = 0; r < own.rows; ++r) {
      for (std::size_t j = 0; j < own.columns; ++j) own.row(r)[j] += errors.row(r)[at + j];
    }
    if (behind == panel.count) break;
    add_product(own, part(h, at, kernel_.columns, behind, panel.count - behind),
                columns_of(pull_, behind, panel.count - behind));
  }
  for (std::size_t p = panel.index; p < factor_.u.panels(); ++p) {
    const Panel later = this->panel(p);
    add_product(change, rows_of_u(panel, p), columns_of(fed_, later.first, later.count));
  }
}

void RowEncoder::multiply_row(std::size_t row, float factor) {
  std::byte* const blocks = out_ + row * row_bytes_;
  const std::size_t end = kernel_.row_head > 0 ? 1 : row_bytes_;  // one scale for all of them
  for (std::size_t at = 0; at < end; at += block_bytes_) kernel_.rescale(blocks + at, factor);
}

Errors RowEncoder::correct_bias() {
  struct Sums {
    double ww = 0;  // w H w^T
    double we = 0;
    double ee = 0;
  };
  std::array<Sums, kRowsAtOnce> sums{};
  for (std::size_t p = 0; p < factor_.u.panels(); ++p) {
    const Panel here = panel(p);
    load(here);
    const Matrix fed = part(pull_, 0, weights_.rows, 0, here.count);  // W U
    fill_with_zeros(fed);
    const ConstMatrix u = factor_.u.panel(p);
    add_product(columns_of(weights_, 0, here.first), part(u, 0, here.first, 0, here.count), fed);
    add_product(part(values_, 0, weights_.rows, 0, here.count), rows_of_u(here, p), fed);
    for (std::size_t r = 0; r < weights_.rows; ++r) {
      Sums sum = sums[r];
      for (std::size_t j = 0; j < here.count; ++j) {
        const double w = fed.row(r)[j];
        const double e = fed_.row(r)[here.first + j];
        const double d = weight_[j];
        sum.ww += d * w * w;
        sum.we += d * w * e;
        sum.ee += d * e * e;
      }
      sums[r] = sum;
    }
  }
  Errors errors;
  for (std::size_t r = 0; r < weights_.rows; ++r) {
    const auto [ww, we, ee] = sums[r];
    const double wq = ww - we;
    double factor = 1;
    if (wq > 0 && ww > 0) {
      const double unbiased = std::min(ww / wq, kMostUnbiased);
      factor = 1 + settings_.bias_correction * (unbiased * std::sqrt(unbiased) - 1);
      factor = std::max(0.0, factor);
    }
    multiply_row(r, static_cast<float>(factor / double{kernel_.runtime_factor}));
    // The errors are then (1 - factor) w + factor e.
    const double rest = 1 - factor;
    errors.error += rest * rest * ww + 2 * rest * factor * we + factor * factor * ee;
    errors.norm += ww;
  }
  return errors;
}

void RowEncoder::bring_rows_together() {
  if (kernel_.bring_together == nullptr) return;
  const std::size_t size = info(settings_.type).rows * row_bytes_;
  auto* const group = reinterpret_cast<std::byte*>(errors_.data);  // of no use any more
  for (std::byte* at = out_; at < out_ + weights_.rows * row_bytes_; at += size) {
    std::memcpy(group, at, size);
    kernel_.bring_together(group, row_bytes_, at);
  }
}

}  // namespace sluice::feedback
