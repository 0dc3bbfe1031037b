#include "codec/error_range.h"

#include <algorithm>
#include <cmath>

#include "codec/measures.h"

namespace sluice {
namespace {

constexpr std::size_t kLongestRegion = 256;

// Of F32, F16 and BF16: what rounding (to nearest or towards zero) can cost. Of quantized types the
// error falls by 4 with each bit; 16 is two to five times what heavy-tailed weights have, and above
// 0.5 any type of one or two bits would pass as common.
double common_error(TensorType type) {
  switch (type) {
    case TensorType::f32:
      return 0x1p-44;
    case TensorType::f16:
      return 0x1p-20;
    case TensorType::bf16:
      return 0x1p-14;
    default:
      return std::min(0.5, 16 * std::exp2(-2 * bits_per_weight(type)));
  }
}

constexpr double kSmallest = 0x1p-13;
/// Of the largest weight of a row that has a scale for all of it: what its sub-blocks' scales of five
/// to eight bits leave to those of the smallest weights.
constexpr double kSmallestOfRow = 0x1p-5;

constexpr double kNearZeros = 0.95;
constexpr double kFarBeyondZeros = 1.25;

double limit_for(double own_error) noexcept {
  return std::min(10 * std::sqrt(own_error), std::max(kNearZeros, own_error + 0.35));
}

/// A block, but of rows that are stored together, whose blocks are short parts of rows with a scale each, so
/// many weights of a row that they are as many as others' blocks.
std::size_t region_of(TensorType type, std::size_t row_elements) noexcept {
  const TensorTypeInfo& of = info(type);
  if (of.block_elements == 1) return kLongestRegion;
  if (of.rows == 1) return of.block_elements;
  std::size_t region = of.block_elements;
  while (region < row_elements && (region < kLongestRegion || row_elements % region != 0)) {
    region += of.block_elements;
  }
  return region;
}

Excess excess_of(double error, double limit) noexcept {
  return {error, limit, limit < kNearZeros || error > kFarBeyondZeros};
}

}  // namespace

ErrorRange::ErrorRange(TensorType type, Isa isa, std::size_t row_elements)
    : codec_(*find_codec(type, isa)),
      region_elements_(region_of(type, row_elements)),
      rows_(info(type).rows),
      together_(is_all_blocks(type) ? region_elements_ : rows_ * row_elements),
      in_rows_(info(type).block_elements > 1),
      common_(common_error(type)) {}

std::span<const float> ErrorRange::OwnEncoding::decoded() {
  if (!decoded_.empty()) return decoded_;
  decoded_.resize(values_.size());
  const std::size_t columns = values_.size() / rows_;
  std::vector<std::byte> blocks(byte_size(codec_.type, values_.size(), columns));
  codec_.encode(
      {.values = values_.data(), .rows = rows_, .row_elements = columns, .importance = importance_},
      blocks.data());
  codec_.decode(blocks.data(), decoded_.data(), decoded_.size());
  return decoded_;
}

double ErrorRange::OwnEncoding::largest_of_row(std::size_t at) const {
  const std::size_t columns = values_.size() / rows_;
  return largest_magnitude(values_.subspan(at / columns * columns, columns));
}

Judgement ErrorRange::judge(std::span<const float> values, std::span<const float> decoded,
                            const float* importance, OwnEncoding& own, std::size_t at) const {
  const ErrorSums plain = plain_errors(values, decoded.data());
  Judgement judgement{plain.error, plain.norm};
  const auto negligible = [&](double size) noexcept {
    return plain.error <= size * size * static_cast<double>(values.size());
  };
  if (!std::isfinite(plain.error) || plain.error <= common_ * plain.norm ||
      negligible(in_rows_ ? kSmallest : 0x1p-25) ||  // F16's
      (info(codec_.type).row_bytes > 0 && negligible(kSmallestOfRow * own.largest_of_row(at)))) {
    return judgement;
  }
  if (codec_.encode == nullptr) {
    // Ternary types come near zeros by right; all others stay well below.
    constexpr double kZeros = 0.999;
    if (plain.relative() > kZeros) judgement.excess = excess_of(plain.relative(), kZeros);
    return judgement;
  }

  const float* const best = own.decoded().data() + at;
  const auto limit = [&](double own_error) { return std::max(common_, limit_for(own_error)); };
  const double plain_limit = limit(plain_errors(values, best).relative());
  if (plain.relative() <= plain_limit) return judgement;
  if (importance != nullptr) {
    const ErrorSums weighted = weighted_errors(values, decoded.data(), importance);
    const ErrorSums weighted_own = weighted_errors(values, best, importance);
    if (weighted.norm > 0 && weighted.relative() <= limit(weighted_own.relative())) {
      return judgement;
    }
  }
  judgement.excess = excess_of(plain.relative(), plain_limit);
  return judgement;
}

}  // namespace sluice
