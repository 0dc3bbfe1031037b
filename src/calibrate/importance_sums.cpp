#include "calibrate/importance_sums.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "sluice/error.h"

namespace sluice::calibrate {
namespace {

// Columns that one task sums over all tokens: a line of the cache of each row, and some.
constexpr std::size_t kColumns = 256;

void add_squares(const linear::ConstMatrix& x, std::size_t first, std::size_t last, double* sums) {
  for (std::size_t token = 0; token < x.rows; ++token) {
    const float* const row = x.row(token);
    for (std::size_t i = first; i < last; ++i) {
      sums[i] += static_cast<double>(row[i]) * static_cast<double>(row[i]);
    }
  }
}

[[noreturn]] void refuse_overflow(const std::string& tensor, std::size_t column) {
  throw Error(
      ErrorCode::input_value,
      fmt::format("what it is multiplied by is not finite in column {}", column),
      {.tensor = tensor, .cure = "The model is damaged or its metadata are wrong: get it anew"});
}

}  // namespace

ImportanceSums::ImportanceSums(const imatrix::Layout& layout, io::Sink& sink, Team& team,
                               std::function<void(const model::Input&)> seen)
    : layout_(layout), sink_(sink), team_(team), seen_(std::move(seen)) {}

bool ImportanceSums::wants(const model::Input& input) {
  return std::ranges::any_of(
      input.tensors, [&](const std::string& tensor) { return layout_.find(tensor) != nullptr; });
}

void ImportanceSums::see(const model::Input& input, const linear::ConstMatrix& x) {
  Sums& sums = sums_[{input.tensors.front(), input.number}];
  sums.squares.resize(x.columns);
  sums.tokens += x.rows;
  team_.run((x.columns + kColumns - 1) / kColumns, [&](std::size_t task, int) {
    add_squares(x, task * kColumns, std::min((task + 1) * kColumns, x.columns),
                sums.squares.data());
  });
}

void ImportanceSums::finished(const model::Input& input) {
  const auto found = sums_.find({input.tensors.front(), input.number});
  if (found != sums_.end()) {
    const Sums& sums = found->second;
    const std::vector<float> squares(sums.squares.begin(), sums.squares.end());
    const auto bad = std::ranges::find_if_not(squares, [](float s) { return std::isfinite(s); });
    if (bad != squares.end()) {
      refuse_overflow(input.tensors.front(), static_cast<std::size_t>(bad - squares.begin()));
    }
    const auto tokens = static_cast<float>(sums.tokens);
    for (const std::string& tensor : input.tensors) {
      const imatrix::SumsPlace* const place = layout_.find(tensor);
      if (place == nullptr) continue;
      write(place->sums + input.number * place->tensor.columns * sizeof(float), squares);
      const std::uint64_t which = place->tensor.counts_each ? input.number : 0;
      write(place->counts + which * sizeof(float), {&tokens, 1});
    }
    sums_.erase(found);
  }
  if (seen_) seen_(input);
}

void ImportanceSums::done(std::uint64_t /*layer*/) {
  sink_.sync();
}

void ImportanceSums::write(std::uint64_t offset, std::span<const float> numbers) {
  const std::span<const std::byte> bytes = std::as_bytes(numbers);
  sink_.write_at(offset, {&bytes, 1});
}

}  // namespace sluice::calibrate
