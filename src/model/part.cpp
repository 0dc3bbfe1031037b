#include "model/part.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "linear/functions.h"
#include "linear/products.h"
#include "sluice/amounts.h"

namespace sluice::model {
namespace {

// More tokens at once make nothing faster: what it costs to decode weights is by then a small part.
constexpr std::uint64_t kMostAtOnce = 4096;

}  // namespace

std::vector<float> numbers_of(const Run& run, const std::string& name) {
  return name.empty() ? std::vector<float>() : run.weights.numbers(name);
}

std::uint64_t Space::tokens_within(const RunSettings& settings, std::uint64_t tokens) const {
  const std::uint64_t memory = settings.memory;
  const std::uint64_t needed = settings.whole ? of(tokens) : least();
  if (memory < needed) {
    throw Error(
        ErrorCode::memory_budget,
        fmt::format(
            "a layer of the model needs {} bytes beside its weights, and {} are left for it",
            needed, memory),
        {.cure = "raise --memory, or calibrate with shorter sequences"});
  }
  if (settings.whole) return tokens;
  const std::uint64_t most = std::max(std::min(tokens, kMostAtOnce), at_once);
  const std::uint64_t fit = each == 0 ? most : std::min(most, (memory - fixed) / each);
  return fit / at_once * at_once;
}

linear::Matrix rows_of(const linear::Matrix& matrix, std::size_t first, std::size_t count) {
  return {matrix.row(first), count, matrix.columns, matrix.stride};
}

linear::Matrix columns_of(const linear::Matrix& matrix, std::size_t first, std::size_t count) {
  return {matrix.data + first, matrix.rows, count, matrix.stride};
}

std::vector<std::string> Frame::tensors() const {
  std::vector<std::string> names;
  for (const Norm* norm : {&before, &after}) {
    if (!norm->weight.empty()) names.push_back(norm->weight);
  }
  return names;
}

OpenFrame::OpenFrame(const Run& run, const Frame& frame)
    : run_(run),
      frame_(frame),
      before_(numbers_of(run, frame.before.weight)),
      after_(numbers_of(run, frame.after.weight)) {}

void OpenFrame::read(const linear::ConstMatrix& stream, const linear::Matrix& x) const {
  for_rows(run_.team, x.rows, [&](std::size_t t) {
    if (before_.empty()) {
      std::copy_n(stream.row(t), x.columns, x.row(t));
      return;
    }
    linear::rms_norm(stream.row(t), before_.data(), x.columns, frame_.before.epsilon, x.row(t),
                     run_.settings.isa);
  });
}

void OpenFrame::add(const linear::Matrix& y, const linear::Matrix& stream) const {
  for_rows(run_.team, y.rows, [&](std::size_t t) {
    if (!after_.empty()) {
      linear::rms_norm(y.row(t), after_.data(), y.columns, frame_.after.epsilon, y.row(t),
                       run_.settings.isa);
    }
    linear::add(stream.row(t), y.row(t), y.columns, run_.settings.isa);
  });
}

Projection Projection::of(const Metadata& model, const std::string& name, std::uint64_t rows,
                          std::uint64_t columns, std::uint64_t matrices) {
  const std::string bias = name + ".bias";
  Projection projection{.weight = model.matrix(name + ".weight", rows, columns, matrices),
                        .rows = rows,
                        .columns = columns,
                        .matrices = matrices};
  if (model.has(bias)) projection.bias = model.matrix(bias, matrices, rows);
  projection.scale = model.numbers_if_any(name + ".scale", matrices);
  return projection;
}

void append_tensors(const Projection& projection, std::vector<std::string>& names) {
  names.push_back(projection.weight);
  for (const std::string* name : {&projection.bias, &projection.scale}) {
    if (!name->empty()) names.push_back(*name);
  }
}

ProjectionNumbers::ProjectionNumbers(const Run& run, const Projection& projection)
    : biases(numbers_of(run, projection.bias)), scales(numbers_of(run, projection.scale)) {}

OpenProjection::OpenProjection(const Run& run, const Projection& projection)
    : OpenProjection(run, projection, 0, {run, projection}) {}

OpenProjection::OpenProjection(const Run& run, const Projection& projection, std::uint64_t number,
                               const ProjectionNumbers& numbers)
    : run_(run),
      name_(projection.weight),
      number_(number),
      weight_(run.weights.matrix(projection.weight, number)) {
  if (!numbers.scales.empty()) scale_ = numbers.scales[number];
  if (numbers.biases.empty()) return;
  const auto first = numbers.biases.begin() + static_cast<std::ptrdiff_t>(number * projection.rows);
  bias_.assign(first, first + static_cast<std::ptrdiff_t>(projection.rows));
}

void OpenProjection::apply(const linear::ConstMatrix& x, const linear::Matrix& y,
                           const TokenRows& tokens) const {
  linear::multiply(x, *weight_, y, run_.settings.isa, run_.team);
  if (run_.watcher != nullptr && !name_.empty()) {
    run_.watcher->multiplied({name_, number_, *weight_, tokens, x, y});
  }
  if (scale_ == 1 && bias_.empty()) return;
  for_rows(run_.team, y.rows, [&](std::size_t t) {
    float* const row = y.row(t);
    if (scale_ != 1) std::for_each_n(row, y.columns, [&](float& sum) { sum *= scale_; });
    if (!bias_.empty()) linear::add(row, bias_.data(), y.columns, run_.settings.isa);
  });
}

Watched::Watched(const Run& run, Input input)
    : watcher_(run.watcher),
      input_(std::move(input)),
      wanted_(watcher_ != nullptr && watcher_->wants(input_)) {}

void Watched::see(const linear::ConstMatrix& x, const TokenRows& tokens) const {
  if (wanted_) watcher_->see_tokens(input_, x, tokens);
}

void Watched::finish() const {
  if (watcher_ != nullptr) watcher_->finished(input_);
}

}  // namespace sluice::model
