#include "measure/variant_tokens.h"

#include <algorithm>

namespace sluice::measure {
namespace {

// Measured on trained models: see bench/notes/measuring.md.
constexpr std::size_t kSample = 1024;

std::vector<Span> sample_of(const model::Tokens& text) {
  const std::size_t length = text.sequence_length;
  const std::size_t all = text.ids.size() / length;
  const std::size_t wanted = std::clamp<std::size_t>(kSample / length, 1, all);
  std::vector<Span> sequences;
  for (std::size_t i = 0; i < wanted; ++i) sequences.push_back({i * all / wanted * length, length});
  return sequences;
}

}  // namespace

Span rows_within(const model::TokenRows& tokens, std::size_t rows, const Span& span) {
  const std::size_t end = span.first + span.count;
  if (tokens.listed.empty()) {
    const std::size_t begin_row =
        std::clamp<std::size_t>(span.first, tokens.first, tokens.first + rows);
    const std::size_t end_row = std::clamp<std::size_t>(end, tokens.first, tokens.first + rows);
    return {begin_row - tokens.first, end_row - begin_row};
  }
  const auto begin_row = std::ranges::lower_bound(tokens.listed, span.first);
  const auto end_row = std::ranges::lower_bound(tokens.listed, end);
  return {static_cast<std::size_t>(begin_row - tokens.listed.begin()),
          static_cast<std::size_t>(end_row - begin_row)};
}

linear::Matrix some_rows(const linear::Matrix& matrix, const Span& span) {
  return {matrix.row(span.first), span.count, matrix.columns, matrix.stride};
}

linear::ConstMatrix some_rows(const linear::ConstMatrix& matrix, const Span& span) {
  return {matrix.row(span.first), span.count, matrix.columns, matrix.stride};
}

VariantTokens::VariantTokens(const model::Tokens& text, std::size_t variants)
    : text_(text.ids.size()), sequences_(sample_of(text)), all_(text) {
  const auto append = [&](const std::vector<Span>& spans) {
    for (const Span& tokens : spans) {
      const auto first = text.ids.begin() + static_cast<std::ptrdiff_t>(tokens.first);
      all_.ids.insert(all_.ids.end(), first, first + static_cast<std::ptrdiff_t>(tokens.count));
    }
  };
  for (std::size_t i = 0; i < variants; ++i) append(sequences_);
  append(others());
}

std::vector<Span> VariantTokens::others() const {
  std::vector<Span> between;
  std::size_t first = 0;
  for (const Span& sequence : sequences_) {
    if (sequence.first > first) between.push_back({first, sequence.first - first});
    first = sequence.first + sequence.count;
  }
  if (text_ > first) between.push_back({first, text_ - first});
  return between;
}

std::size_t VariantTokens::origin(std::size_t token) const {
  return sequences_[token / all_.sequence_length].first + token % all_.sequence_length;
}

void VariantTokens::reset(const linear::Matrix& stream, std::size_t index) const {
  const Span tokens = variant(index);
  for (std::size_t t = 0; t < tokens.count; ++t) {
    std::copy_n(stream.row(origin(t)), stream.columns, stream.row(tokens.first + t));
  }
}

double VariantTokens::change(const linear::ConstMatrix& stream, std::size_t index) const {
  const Span tokens = variant(index);
  double sum = 0;
  for (std::size_t t = 0; t < tokens.count; ++t) {
    const float* const own = stream.row(origin(t));
    const float* const other = stream.row(tokens.first + t);
    double change = 0;
    double size = 0;
    for (std::size_t i = 0; i < stream.columns; ++i) {
      const double before = own[i];
      const double by = static_cast<double>(other[i]) - before;
      change += by * by;
      size += before * before;
    }
    if (size > 0) sum += change / size;
  }
  return sum / static_cast<double>(tokens.count);
}

}  // namespace sluice::measure
