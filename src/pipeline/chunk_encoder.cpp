#include "pipeline/chunk_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "base/stop.h"
#include "codec/error_range.h"
#include "pipeline/clocks.h"
#include "sluice/error.h"

namespace sluice {
namespace {

// Whether all values are finite, without a branch per value: a float is NaN or infinite if all its
// exponent bits are set, that is if its magnitude's bits reach 0x7f800000.
bool all_finite(std::span<const float> values) noexcept {
  std::uint32_t largest = 0;
  for (const float value : values) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & 0x7fffffffu);
  }
  return largest < 0x7f800000u;
}

void check_finite(const PlannedTensor& tensor, std::uint64_t first_element, const std::string& file,
                  std::span<const float> values) {
  if (all_finite(values)) return;
  const auto bad =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  const std::uint64_t element = first_element + static_cast<std::uint64_t>(bad - values.begin());
  const std::uint64_t row = element / tensor.row_elements();
  throw Error(
      ErrorCode::input_value,
      fmt::format(
          "holds {} at row {}, column {}{}", std::isnan(*bad) ? "NaN" : "infinity",
          row % tensor.rows_per_expert(), element % tensor.row_elements(),
          tensor.experts() > 1 ? fmt::format(" of expert {}", row / tensor.rows_per_expert()) : ""),
      {.file = file,
       .tensor = tensor.name,
       .offset = tensor.input_offset +
                 byte_size(tensor.source, element / info(tensor.source).block_elements *
                                              info(tensor.source).block_elements),
       .cure = "The checkpoint is damaged or was converted wrongly: get it anew"});
}

std::string row_text(const PlannedTensor& tensor, std::uint64_t row) {
  return fmt::format(
      "row {}{}", row % tensor.rows_per_expert(),
      tensor.experts() > 1 ? fmt::format(" of expert {}", row / tensor.rows_per_expert()) : "");
}

[[noreturn]] void refuse_encoding(const PlannedTensor& tensor, std::uint64_t row,
                                  const std::string& what) {
  throw Error(ErrorCode::output_damaged,
              fmt::format("{} at {}, before it was written", what, row_text(tensor, row)),
              {.tensor = tensor.name,
               .cure = "Check this machine's memory and cooling, and run again; if it fails at the "
                       "same place, try --isa portable and report it"});
}

/// Checks encoded rows while their source is at hand: what becomes of them on the disk is for the
/// tensor's checksum to tell.
/// \param first_row  in the tensor
void verify_rows(const PlannedTensor& tensor, std::uint64_t first_row, const Codec& codec, Isa isa,
                 std::span<const float> values, std::span<const float> decoded,
                 std::span<const float> importance, const std::byte* blocks) {
  if (!codec.scales_finite(blocks, values.size() / info(tensor.type).block_elements)) {
    refuse_encoding(tensor, first_row, "the encoder left a scale that is NaN or infinite");
  }
  const ErrorRange range(tensor.type, isa);
  range.judge_all(
      values, decoded, importance, 0,
      [&](std::size_t start, std::size_t, const Judgement& judgement) {
        if (!judgement.excess) return;
        refuse_encoding(
            tensor, first_row + start / tensor.row_elements(),
            fmt::format("the encoding is off by {:.3g} of its source's square, where "
                        "{} has {:.3g} at most",
                        judgement.excess->error, name(tensor.type), judgement.excess->limit));
      });
}

void add_errors(std::span<const float> values, std::span<const float> decoded,
                std::span<const float> importance, ErrorSums& sums) {
  for (std::size_t row = 0; row < values.size(); row += importance.size()) {
    for (std::size_t column = 0; column < importance.size(); ++column) {
      const double x = values[row + column];
      const double difference = x - double{decoded[row + column]};
      const double q = importance[column];
      sums.weighted_error += q * difference * difference;
      sums.weighted_norm += q * x * x;
      sums.plain_error += difference * difference;
      sums.plain_norm += x * x;
    }
  }
}

bool holds_floats(TensorType type) {
  return type == TensorType::f32 || type == TensorType::f16 || type == TensorType::bf16;
}

}  // namespace

void encode_chunk(const PlannedTensor& tensor, const Chunk& chunk, Kernels kernels,
                  const ImportanceMatrix* imatrix, const std::string& file,
                  std::span<const std::byte> input, std::span<std::byte> output, Scratch& scratch,
                  ErrorSums& sums) {
  if (tensor.copied() && !holds_floats(tensor.source)) return;
  const Codec& from = *find_codec(tensor.source, kernels.isa);
  const std::size_t row_elements = tensor.copied() ? 1 : tensor.row_elements();

  const std::span<float> importance =
      std::span(scratch.importance).first(tensor.copied() ? 0 : row_elements);
  if (tensor.importance != nullptr) {
    imatrix->read_row(*tensor.importance, chunk.expert, importance);
  } else {
    std::fill(importance.begin(), importance.end(), 1.0f);
  }

  const std::size_t tile =
      std::max<std::size_t>(1, scratch.values.size() / row_elements) * row_elements;
  for (std::uint64_t done = 0; done < chunk.elements; done += tile) {
    throw_if_stopped(kernels.stop);
    const std::size_t count = std::min<std::uint64_t>(tile, chunk.elements - done);
    const std::span<float> values = std::span(scratch.values).first(count);
    const Stopwatch decoding;
    from.decode(input.data() + byte_size(tensor.source, done), values.data(), count);
    scratch.decode_ns += decoding.nanoseconds();
    check_finite(tensor, chunk.first_element + done, file, values);
    if (tensor.copied()) continue;
    std::byte* blocks = output.data() + byte_size(tensor.type, done);
    const Codec& to = *find_codec(tensor.type, kernels.isa);
    to.encode({.values = values.data(),
               .rows = count / row_elements,
               .row_elements = row_elements,
               .importance = tensor.importance != nullptr ? importance.data() : nullptr,
               .effort = kernels.effort,
               .bias_correction = tensor.bias_correction},
              blocks);
    if (!scratch.decoded.empty()) {
      const std::span<float> decoded = std::span(scratch.decoded).first(count);
      to.decode(blocks, decoded.data(), count);
      add_errors(values, decoded, importance, sums);
      if (kernels.verify) {
        verify_rows(tensor, (chunk.first_element + done) / row_elements, to, kernels.isa, values,
                    decoded, tensor.importance != nullptr ? importance : std::span<const float>(),
                    blocks);
      }
    }
  }
}

}  // namespace sluice
