#include "quantize/chunk_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/clocks.h"
#include "base/stop.h"
#include "base/zero_tensors.h"
#include "codec/error_range.h"
#include "quantize/chunk_cursor.h"
#include "sluice/error.h"

namespace sluice {
namespace {

[[noreturn]] void refuse_values(const PlannedTensor& tensor, std::uint64_t first_element,
                                const std::string& file, std::span<const float> values) {
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

bool holds_floats(TensorType type) {
  return type == TensorType::f32 || type == TensorType::f16 || type == TensorType::bf16;
}

// 128 KiB of F32: with its blocks it stays in the second-level cache between decoding and encoding.
constexpr std::uint64_t kStripElements = 32768;

std::uint64_t longest_row(const Plan& plan) {
  std::uint64_t longest = 0;
  for (const PlannedTensor& tensor : plan.tensors) {
    if (!tensor.copied()) longest = std::max(longest, tensor.row_elements());
  }
  return longest;
}

// Whole rows, as many as fit, at least one.
std::uint64_t strip_elements(const Plan& plan) {
  return std::max(kStripElements, longest_row(plan));
}

void add_errors(std::span<const float> values, std::span<const float> decoded,
                std::span<const float> importance, EncodingErrors& errors) {
  const ErrorSums plain = plain_errors(values, decoded.data());
  errors.plain += plain;
  if (importance.empty()) {
    errors.weighted += plain;
    return;
  }
  for (std::size_t row = 0; row < values.size(); row += importance.size()) {
    errors.weighted +=
        weighted_errors(values.subspan(row, importance.size()), &decoded[row], importance.data());
  }
}

}  // namespace

/// Some rows of a chunk, decoded.
struct ChunkEncoder::Strip {
  const PlannedTensor& tensor;
  std::uint64_t first_element;  // in the tensor
  std::span<const float> values;
  float largest;  // magnitude
};

ChunkEncoder::ChunkEncoder(const Plan& plan, std::span<const io::File> files,
                           const ImportanceMatrix* imatrix, const io::MappedFile* imatrix_file,
                           const EncoderSettings& settings)
    : plan_(plan),
      files_(files),
      imatrix_(imatrix),
      imatrix_file_(imatrix_file),
      settings_(settings),
      errors_(plan.tensors.size()),
      findings_(plan.tensors.size()) {
  const std::uint64_t strip = strip_elements(plan);
  for (int i = 0; i < settings.threads; ++i) {
    scratch_.push_back({.values = std::vector<float>(strip),
                        .decoded = std::vector<float>(settings.measure_error ? strip : 0),
                        .importance = std::vector<float>(longest_row(plan))});
  }
}

engine::MemoryNeeds ChunkEncoder::memory_needs(const Plan& plan, const EncoderSettings& settings) {
  engine::MemoryNeeds needs{
      .threads = settings.threads, .input_size = plan.input_size, .output_size = plan.output_size};
  for (const PlannedTensor& tensor : plan.tensors) {
    needs.smallest_unit = std::max(needs.smallest_unit, smallest_chunk_bytes(tensor));
  }
  needs.scratch =
      (strip_elements(plan) * (settings.measure_error ? 2 : 1) + longest_row(plan)) * sizeof(float);
  return needs;
}

void ChunkEncoder::run(engine::Task& task, int worker) {
  const engine::Unit& chunk = task.unit;
  const PlannedTensor& tensor = plan_.tensors[chunk.tensor];
  const std::span<const std::byte> input = task.inputs.front();
  task.output = tensor.copied() ? input : std::span<const std::byte>(task.room);
  WeightFindings findings;
  if (tensor.copied() && !holds_floats(tensor.source)) {
    findings.any_nonzero = !all_zero(input);
    const std::lock_guard lock(mutex_);
    findings_[chunk.tensor].add(findings);
    return;
  }

  Scratch& scratch = scratch_[static_cast<std::size_t>(worker)];
  const std::span<const float> importance = importance_of(chunk, scratch);
  const Codec& from = *find_codec(tensor.source, settings_.isa);
  const std::size_t row = tensor.copied() ? 1 : tensor.row_elements();
  const std::size_t most = std::max<std::size_t>(1, scratch.values.size() / row) * row;
  EncodingErrors errors;
  for (std::uint64_t done = 0; done < chunk.elements; done += most) {
    throw_if_stopped(settings_.stop);
    const std::size_t count = std::min<std::uint64_t>(most, chunk.elements - done);
    const std::span<float> values = std::span(scratch.values).first(count);
    const Stopwatch decoding;
    from.decode(input.data() + byte_size(tensor.source, done), values.data(), count);
    task.decode_ns += decoding.nanoseconds();
    const float largest = largest_magnitude(values, settings_.isa);
    if (!std::isfinite(largest)) {
      refuse_values(tensor, chunk.first_element + done, files_[tensor.part].path(), values);
    }
    findings.any_nonzero |= largest > 0;
    if (tensor.copied()) continue;
    encode({tensor, chunk.first_element + done, values, largest}, importance,
           task.room.data() + byte_size(tensor.type, done), scratch, errors, findings.lost_range);
  }
  // What could not be read of it was taken for zeros.
  if (imatrix_file_ != nullptr) imatrix_file_->check();
  const std::lock_guard lock(mutex_);
  errors_[chunk.tensor].plain += errors.plain;
  errors_[chunk.tensor].weighted += errors.weighted;
  findings_[chunk.tensor].add(findings);
}

// Of the chunk's expert; empty where none is known.
std::span<const float> ChunkEncoder::importance_of(const engine::Unit& chunk,
                                                   Scratch& scratch) const {
  const PlannedTensor& tensor = plan_.tensors[chunk.tensor];
  if (tensor.copied() || tensor.importance == nullptr) return {};
  const std::span<float> row = std::span(scratch.importance).first(tensor.row_elements());
  imatrix_->read_row(*tensor.importance, chunk.first_element / tensor.expert_elements(), row);
  return row;
}

void ChunkEncoder::encode(const Strip& strip, std::span<const float> importance, std::byte* blocks,
                          Scratch& scratch, EncodingErrors& errors, LostRange& lost_range) const {
  const PlannedTensor& tensor = strip.tensor;
  const Codec& to = *find_codec(tensor.type, settings_.isa);
  const EncodeRows rows{.values = strip.values.data(),
                        .rows = strip.values.size() / tensor.row_elements(),
                        .row_elements = tensor.row_elements(),
                        .importance = importance.empty() ? nullptr : importance.data(),
                        .effort = settings_.effort,
                        .bias_correction = tensor.bias_correction};
  to.encode(rows, blocks);
  if (strip.largest > kLeastRange) lost_range.add(find_lost_range(to, rows, blocks));
  if (scratch.decoded.empty()) return;
  const std::span<float> decoded = std::span(scratch.decoded).first(strip.values.size());
  to.decode(blocks, decoded.data(), decoded.size());
  add_errors(strip.values, decoded, importance, errors);
  if (settings_.verify) verify_rows(strip, decoded, importance, blocks);
}

// Checks encoded rows while their source is at hand: what becomes of them on the disk is for the
// tensor's checksum to tell.
void ChunkEncoder::verify_rows(const Strip& strip, std::span<const float> decoded,
                               std::span<const float> importance, const std::byte* blocks) const {
  const PlannedTensor& tensor = strip.tensor;
  const std::uint64_t first_row = strip.first_element / tensor.row_elements();
  const Codec& codec = *find_codec(tensor.type, settings_.isa);
  if (!codec.scales_finite(blocks, decoded.size() / info(tensor.type).block_elements)) {
    refuse_encoding(tensor, first_row, "the encoder left a scale that is NaN or infinite");
  }
  const ErrorRange range(tensor.type, settings_.isa);
  range.judge_all(
      strip.values, decoded, importance, 0,
      [&](std::size_t start, std::size_t, const Judgement& judgement) {
        if (!judgement.excess) return;
        refuse_encoding(
            tensor, first_row + start / tensor.row_elements(),
            fmt::format("the encoding is off by {:.3g} of its source's square, where "
                        "{} has {:.3g} at most",
                        judgement.excess->error, name(tensor.type), judgement.excess->limit));
      });
}

}  // namespace sluice
