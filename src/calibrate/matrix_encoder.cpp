#include "calibrate/matrix_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "base/float16.h"
#include "calibrate/feedback_settings.h"
#include "codec/measures.h"
#include "codec/preparation.h"
#include "feedback/feedback.h"
#include "quantize/lost_range.h"
#include "sluice/codec.h"
#include "sluice/error.h"

namespace sluice::calibrate {
namespace {

// Of a result: small against what the output buffer holds, large against the work of a team's round.
constexpr std::uint64_t kResultBytes = std::uint64_t{4} << 20;

std::uint64_t row_bytes(const PlannedTensor& tensor) {
  return row_size(tensor.type, tensor.row_elements());
}

// A round's rows: whole groups, and at least one for each thread.
std::uint64_t rows_at_once(const PlannedTensor& tensor, int threads) {
  const std::uint64_t group = feedback::kRowsAtOnce;
  const std::uint64_t round = group * static_cast<std::uint64_t>(threads);
  const std::uint64_t rounds =
      std::max<std::uint64_t>(1, kResultBytes / (round * row_bytes(tensor)));
  return std::min(rounds * round, tensor.rows_per_expert());
}

// An encoder that knows second moments gives up nearness, block by block, but not what the model makes of the
// weights: that comes no nearer by zeros.
void check_encoding(const PlannedTensor& tensor, std::uint64_t row, const Codec& codec,
                    std::span<const std::byte> blocks, const ErrorSums& errors) {
  const std::uint64_t rows = blocks.size() / row_bytes(tensor);
  const bool finite =
      rows_finite(codec, blocks.data(), rows * tensor.row_elements(), tensor.row_elements());
  if (finite && errors.error <= errors.norm) return;
  throw Error(ErrorCode::output_damaged,
              fmt::format("{} at the rows from {} on, before they were written",
                          finite ? "the encoding is further off than zeros"
                                 : "the encoder left a scale that is NaN or infinite",
                          row),
              {.tensor = tensor.name,
               .cure = "Check this machine's memory and cooling, and run again; if it fails at the "
                       "same place, try --isa portable and report it"});
}

}  // namespace

/// Of one worker.
struct MatrixEncoder::Scratch {
  Scratch(const PlannedTensor& tensor, const Knowledge& known)
      : values(feedback::kRowsAtOnce * tensor.row_elements()),
        decoded(values.size()),
        fitted(known.lacks == nullptr ? 0 : values.size()),
        fit(known.lacks == nullptr ? 0 : linear::Factor::divide_scratch(feedback::kRowsAtOnce)),
        feedback(known.factor == nullptr ? 0 : feedback::scratch_bytes(tensor.row_elements())) {}

  std::vector<float> values;
  std::vector<float> decoded;
  std::vector<float> fitted;
  std::vector<float> fit;
  PageBuffer feedback;
};

std::uint64_t MatrixEncoder::bytes(const PlannedTensor& tensor, int threads, bool fitted) {
  const std::uint64_t floats = (fitted ? 3 : 2) * feedback::kRowsAtOnce * tensor.row_elements() +
                               (fitted ? linear::Factor::divide_scratch(feedback::kRowsAtOnce) : 0);
  return static_cast<std::uint64_t>(threads) *
             (floats * sizeof(float) + feedback::scratch_bytes(tensor.row_elements())) +
         rows_at_once(tensor, threads) * row_bytes(tensor);
}

void MatrixEncoder::encode(std::uint32_t tensor, std::uint64_t number, const linear::Rows& weights,
                           const Knowledge& known, std::span<std::byte> kept) {
  const PlannedTensor& planned = plan_.tensors[tensor];
  prepared_codec(planned.type, settings_.isa);
  const std::uint64_t all = planned.rows_per_expert();
  const std::uint64_t most = rows_at_once(planned, team_.threads());
  std::vector<Scratch> scratch;
  for (int i = 0; i < team_.threads(); ++i) scratch.emplace_back(planned, known);
  std::vector<std::byte> room(kept.empty() ? most * row_bytes(planned) : 0);
  for (std::uint64_t first = 0; first < all; first += most) {
    const std::uint64_t count = std::min(most, all - first);
    const TensorRows rows{tensor, number * all + first, count};
    const std::span<std::byte> out =
        kept.empty() ? std::span(room).first(count * row_bytes(planned))
                     : kept.subspan(first * row_bytes(planned), count * row_bytes(planned));
    if (output_.has(rows)) {
      if (!kept.empty()) output_.read(rows, out);
      continue;
    }
    output_.put(rows, out, [&] {
      const std::uint64_t groups = (count + feedback::kRowsAtOnce - 1) / feedback::kRowsAtOnce;
      std::vector<RowFindings> found(groups);
      team_.run(groups, [&](std::size_t group, int worker) {
        const std::uint64_t begin = group * feedback::kRowsAtOnce;
        const std::uint64_t size = std::min(feedback::kRowsAtOnce, count - begin);
        found[group] = encode_group(
            planned, weights, first + begin, size, known, scratch[static_cast<std::size_t>(worker)],
            out.subspan(begin * row_bytes(planned), size * row_bytes(planned)));
      });
      RowFindings sum;
      for (const RowFindings& each : found) sum.add(each);
      return sum;
    });
  }
}

RowFindings MatrixEncoder::encode_group(const PlannedTensor& tensor, const linear::Rows& weights,
                                        std::uint64_t first, std::uint64_t count,
                                        const Knowledge& known, Scratch& scratch,
                                        std::span<std::byte> out) const {
  const std::uint64_t columns = tensor.row_elements();
  const std::span<float> values = std::span(scratch.values).first(count * columns);
  weights.decode(first, count, values.data());
  if (settings_.via_bf16 && tensor.source == TensorType::bf16) {
    for (float& value : values) value = bf16_to_f32(f32_to_bf16(value));
  }
  const Codec& codec = *find_codec(tensor.type, settings_.isa);
  const EncodeRows rows{.values = values.data(),
                        .rows = count,
                        .row_elements = columns,
                        .importance = known.importance.empty() ? nullptr : known.importance.data(),
                        .effort = settings_.effort,
                        .bias_correction = tensor.bias_correction};
  std::optional<ErrorSums> under_moments;
  if (known.factor != nullptr) {
    const linear::ConstMatrix own(values.data(), count, columns, columns);
    const linear::Matrix fitted = {scratch.fitted.data(), count, columns, columns};
    if (known.lacks != nullptr) {
      known.lacks->fit(own, *known.factor, fitted, settings_.isa, scratch.fit.data());
    }
    const feedback::Errors errors =
        feedback::encode_rows(known.lacks == nullptr ? own : fitted, *known.factor,
                              feedback_settings(tensor.type, settings_.effort, settings_.isa),
                              scratch.feedback.bytes().data(), out.data());
    under_moments = {.error = errors.error, .norm = errors.norm};
  } else {
    codec.encode(rows, out.data());
  }
  RowFindings found;
  const float largest = largest_magnitude(values, settings_.isa);
  found.weights.any_nonzero = largest > 0;
  if (largest > least_range(codec.type))
    found.weights.lost_range = find_lost_range(codec, rows, out.data());
  if (!settings_.measure_error) return found;
  const std::span<float> decoded = std::span(scratch.decoded).first(values.size());
  decode_rows(codec, out.data(), decoded.size(), columns, decoded.data());
  add_errors(values, decoded, known.importance, found.errors);
  if (under_moments) found.errors.weighted = *under_moments;
  if (settings_.verify) check_encoding(tensor, first, codec, out, found.errors.weighted);
  return found;
}

}  // namespace sluice::calibrate
