#include "model/latent_heads.h"

#include <algorithm>
#include <utility>

namespace sluice::model {
namespace {

// Some rows of a matrix.
class SomeRows final : public linear::Rows {
 public:
  SomeRows(std::shared_ptr<const linear::Rows> all, std::size_t first, std::size_t count)
      : all_(std::move(all)), first_(first), count_(count) {}

  std::size_t rows() const override { return count_; }
  std::size_t columns() const override { return all_->columns(); }
  void decode(std::size_t first, std::size_t count, float* out) const override {
    all_->decode(first_ + first, count, out);
  }

 private:
  std::shared_ptr<const linear::Rows> all_;
  std::size_t first_;
  std::size_t count_;
};

// A matrix whose rows are the columns of another.
class TurnedRows final : public linear::Rows {
 public:
  explicit TurnedRows(const linear::Rows& other) : rows_(other.columns()), columns_(other.rows()) {
    std::vector<float> decoded(rows_ * columns_);
    other.decode(0, columns_, decoded.data());
    numbers_.resize(decoded.size());
    for (std::size_t r = 0; r < rows_; ++r) {
      for (std::size_t c = 0; c < columns_; ++c)
        numbers_[r * columns_ + c] = decoded[c * rows_ + r];
    }
  }

  std::size_t rows() const override { return rows_; }
  std::size_t columns() const override { return columns_; }
  void decode(std::size_t first, std::size_t count, float* out) const override {
    std::copy_n(numbers_.data() + first * columns_, count * columns_, out);
  }

 private:
  std::size_t rows_;
  std::size_t columns_;
  std::vector<float> numbers_;
};

}  // namespace

Input input_of_head(const Projection& projection, std::uint64_t number) {
  return {.tensors = {projection.weight}, .number = number, .matrices = projection.matrices};
}

OpenHead::OpenHead(const Run& run, const LatentParts& parts, std::uint64_t number)
    : keys_(run, parts.keys, number, {run, parts.keys}),
      values_(run, parts.values, number, {run, parts.values}),
      query_(Watched(run, input_of_head(parts.keys, number))),
      mixed_(Watched(run, input_of_head(parts.values, number))) {}

OpenHead::OpenHead(const Run& run, const LatentLengths& n,
                   const std::shared_ptr<const linear::Rows>& joined, float scale,
                   std::uint64_t number)
    : keys_(run,
            std::make_shared<TurnedRows>(SomeRows(joined, number * (n.plain + n.value), n.plain)),
            scale),
      values_(run,
              std::make_shared<SomeRows>(joined, number * (n.plain + n.value) + n.plain, n.value),
              scale) {}

std::vector<OpenHead> open_heads(const Run& run, const LatentParts& parts, const LatentLengths& n) {
  const auto joined =
      parts.joined.weight.empty() ? nullptr : run.weights.matrix(parts.joined.weight);
  const std::vector<float> scales = numbers_of(run, parts.joined.scale);
  std::vector<OpenHead> all;
  for (std::uint64_t head = 0; head < n.heads; ++head) {
    if (joined) {
      all.emplace_back(run, n, joined, scales.empty() ? 1 : scales.front(), head);
    } else {
      all.emplace_back(run, parts, head);
    }
  }
  return all;
}

}  // namespace sluice::model
