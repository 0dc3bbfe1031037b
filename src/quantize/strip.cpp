#include "quantize/strip.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "codec/error_range.h"
#include "sluice/error.h"
#include "weights/factors.h"

namespace sluice {
namespace {

const char* what_is(float value) {
  return std::isnan(value) ? "NaN" : "infinity";
}

/// Where a weight of a piece is in the stored tensor.
std::uint64_t stored_element(const weights::Piece& piece, std::uint64_t index) {
  std::uint64_t element = piece.first;
  for (auto axis = piece.axes.rbegin(); axis != piece.axes.rend(); ++axis) {
    element += index % axis->count * axis->stride;
    index /= axis->count;
  }
  return element;
}

struct BadFactor {
  float value;
  std::uint64_t offset;  // in the file
};

std::optional<BadFactor> bad_factor(const weights::Stored& stored, const weights::BandBytes& bytes,
                                    std::uint64_t element) {
  if (!stored.scales) return std::nullopt;
  const weights::Factors factors(stored, bytes);
  const std::uint64_t row = element / stored.columns();
  const std::uint64_t index = factors.index(row, element % stored.columns());
  const float value = factors.at(index, factors.common(row), best_isa());
  if (std::isfinite(value)) return std::nullopt;
  return BadFactor{value,
                   bytes.band.scales->offset + index * weights::factor_size(stored.scales->type)};
}

std::string expert_text(const PlannedTensor& tensor, std::uint64_t row) {
  return tensor.experts() > 1 ? fmt::format(" of expert {}", row / tensor.rows_per_expert()) : "";
}

/// \param row  of the strip
[[noreturn]] void refuse_encoding(const Strip& strip, std::uint64_t row, const std::string& what) {
  const PlannedTensor& tensor = strip.tensor();
  const std::uint64_t in_tensor =
      (strip.piece.first_row + strip.first_row) * strip.joint_rows() + row;
  throw Error(ErrorCode::output_damaged,
              fmt::format("{} at row {}{}, before it was written", what,
                          in_tensor % tensor.rows_per_expert(), expert_text(tensor, in_tensor)),
              {.tensor = tensor.name,
               .cure = "Check this machine's memory and cooling, and run again; if it fails at the "
                       "same place, try --isa portable and report it"});
}

}  // namespace

void refuse_values(const Strip& strip, std::span<const io::File> files) {
  const PlannedTensor& tensor = strip.tensor();
  const weights::Piece& piece = strip.piece;
  const auto bad =
      std::ranges::find_if(strip.values, [](float value) { return !std::isfinite(value); });
  const std::uint64_t index =
      strip.first_row * piece.columns + static_cast<std::uint64_t>(bad - strip.values.begin());
  // Of a tensor whose bytes are only moved the piece has shorter rows than the tensor.
  const std::uint64_t in_tensor =
      (piece.first_row + index / piece.columns) * strip.plan.wanted[piece.wanted].row_elements +
      piece.first_column + index % piece.columns;
  const std::uint64_t row = in_tensor / tensor.row_elements();
  std::string what = what_is(*bad);
  ErrorContext context{.tensor = tensor.name,
                       .cure = "The checkpoint is damaged or was converted wrongly: get it anew"};
  if (strip.bytes.band.stored == weights::Band::kNone) {
    context.file = files.front().path();
  } else {
    const weights::Stored& stored = strip.plan.weights->stored[strip.bytes.band.stored];
    const std::uint64_t element = stored_element(piece, index);
    context.file = files[stored.place.part].path();
    context.offset = stored.place.offset + stored.offset_of(element);
    if (const std::optional<BadFactor> factor = bad_factor(stored, strip.bytes, element)) {
      what = fmt::format("a scale that is {},", what_is(factor->value));
      context.file = files[stored.scales->place.part].path();
      context.offset = factor->offset;
    }
  }
  throw Error(ErrorCode::input_value,
              fmt::format("holds {} at row {}, column {}{}", what, row % tensor.rows_per_expert(),
                          in_tensor % tensor.row_elements(), expert_text(tensor, row)),
              std::move(context));
}

void check_encoding(const Strip& strip, std::span<const float> decoded,
                    std::span<const float> importance, const std::byte* blocks, Isa isa) {
  const TensorType type = strip.tensor().type;
  const Codec& codec = *find_codec(type, isa);
  if (!rows_finite(codec, blocks, decoded.size(), strip.columns())) {
    refuse_encoding(strip, 0, "the encoder left a scale that is NaN or infinite");
  }
  const ErrorRange range(type, isa, strip.columns());
  range.judge_all(strip.values, decoded, importance, 0,
                  [&](std::size_t start, std::size_t, const Judgement& judgement) {
                    if (!judgement.excess) return;
                    refuse_encoding(
                        strip, start / strip.columns(),
                        fmt::format("the encoding is off by {:.3g} of its source's square, where "
                                    "{} has {:.3g} at most",
                                    judgement.excess->error, name(type), judgement.excess->limit));
                  });
}

}  // namespace sluice
