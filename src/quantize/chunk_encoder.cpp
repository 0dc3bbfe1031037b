#include "quantize/chunk_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <set>

#include "base/clocks.h"
#include "base/float16.h"
#include "base/stop.h"
#include "base/zero_tensors.h"
#include "codec/preparation.h"
#include "quantize/chunk_producer.h"
#include "weights/decode.h"

namespace sluice {
namespace {

bool holds_floats(TensorType type) {
  return type == TensorType::f32 || type == TensorType::f16 || type == TensorType::bf16;
}

// 128 KiB of F32: with its blocks it stays in the second-level cache between decoding and encoding.
constexpr std::uint64_t kStripElements = 32768;

std::uint64_t longest_row(const Plan& plan) {
  std::uint64_t longest = 0;
  for (const PlannedTensor& tensor : plan.tensors) {
    if (tensor.passage != Passage::moved) longest = std::max(longest, tensor.joint_elements());
  }
  return longest;
}

// Whole rows, as many as fit, at least one.
std::uint64_t strip_elements(const Plan& plan) {
  return std::max(kStripElements, longest_row(plan));
}

std::uint64_t block_bytes(const Plan& plan) {
  return plan.matrix_bytes > 0 ? strip_elements(plan) * sizeof(float) : 0;
}

std::span<float> floats_of(const PageBuffer& buffer) {
  return {reinterpret_cast<float*>(buffer.bytes().data()), buffer.bytes().size() / sizeof(float)};
}

/// The part of a result for a piece, which follow one another.
class Parts {
 public:
  explicit Parts(std::span<std::byte> all) : rest_(all) {}

  std::span<std::byte> next(std::uint64_t size) {
    const std::span<std::byte> part = rest_.first(size);
    rest_ = rest_.subspan(size);
    return part;
  }

 private:
  std::span<std::byte> rest_;
};

}  // namespace

/// What one piece's weights come to.
struct ChunkEncoder::Findings {
  EncodingErrors errors{};
  WeightFindings weights{};
  std::int64_t decode_ns = 0;
  float largest = 0;  // magnitude in the last strip
};

ChunkEncoder::ChunkEncoder(const Plan& plan, std::span<const io::File> files,
                           const ImportanceMatrix* imatrix, const io::MappedFile* imatrix_file,
                           const EncoderSettings& settings, EncodingFindings& found)
    : plan_(plan),
      files_(files),
      imatrix_(imatrix),
      imatrix_file_(imatrix_file),
      settings_(settings),
      found_(found) {
  for (const PlannedTensor& tensor : plan.tensors) {
    if (tensor.passage == Passage::encoded) prepared_codec(tensor.type, settings.isa);
  }
  const std::uint64_t strip = strip_elements(plan);
  for (int i = 0; i < settings.threads; ++i) {
    scratch_.push_back({.values = PageBuffer(strip * sizeof(float)),
                        .decoded = PageBuffer(settings.measure_error ? strip * sizeof(float) : 0),
                        .importance = PageBuffer(longest_row(plan) * sizeof(float)),
                        .blocks = PageBuffer(block_bytes(plan))});
  }
}

std::uint64_t ChunkEncoder::bytes_of_preparations(const Plan& plan, Isa isa) {
  std::set<TensorType> types;
  for (const PlannedTensor& tensor : plan.tensors) {
    if (tensor.passage == Passage::encoded) types.insert(tensor.type);
  }
  return prepared_bytes(types, isa);
}

engine::MemoryNeeds ChunkEncoder::memory_needs(const Plan& plan, const EncoderSettings& settings) {
  const std::uint64_t floats =
      strip_elements(plan) * (settings.measure_error ? 2 : 1) + longest_row(plan);
  return {.threads = settings.threads,
          .smallest_unit = plan.band_bytes,
          .scratch = floats * sizeof(float) + block_bytes(plan),
          .beside = ChunkProducer::factor_memory(plan) + bytes_of_preparations(plan, settings.isa),
          .buffer = plan.matrix_bytes,
          .input_size = plan.input_size,
          .output_size = plan.output_size};
}

void ChunkEncoder::run(engine::Task& task, int worker) {
  const auto& chunk = static_cast<const Chunk&>(*task.unit.details);
  const std::span<const std::byte> codes =
      task.inputs.empty() ? std::span<const std::byte>() : task.inputs.front();
  const weights::BandBytes bytes{chunk.band, codes,
                                 task.inputs.size() > 1 ? task.inputs[1] : chunk.factors};
  Scratch& scratch = scratch_[static_cast<std::size_t>(worker)];
  Parts room(chunk.matrix ? chunk.matrix->bytes() : task.room);
  for (std::size_t i = 0; i < chunk.band.pieces.size(); ++i) {
    const weights::Piece& piece = chunk.band.pieces[i];
    const bool moved = plan_.tensors[piece.wanted].passage == Passage::moved;
    const std::uint64_t size = piece.rows * output_row_bytes(plan_, piece.wanted);
    const std::span<std::byte> out = moved ? std::span<std::byte>() : room.next(size);
    Findings findings;
    const std::span<const std::byte> result =
        pass({plan_, bytes, piece, 0, {}}, out, scratch, findings);
    if (!chunk.matrix) task.results.push_back({piece.wanted, chunk.outputs[i], result});
    task.decode_ns += findings.decode_ns;
    found_.add(piece.wanted, findings.errors, findings.weights);
  }
  // What could not be read of it was taken for zeros.
  if (imatrix_file_ != nullptr) imatrix_file_->check();
}

/// What becomes of a piece: in its band, if it is moved, or in `out`.
std::span<const std::byte> ChunkEncoder::pass(const Strip& whole, std::span<std::byte> out,
                                              Scratch& scratch, Findings& findings) const {
  const TensorType type = whole.tensor().type;
  switch (whole.tensor().passage) {
    case Passage::moved: {
      const weights::Band& band = whole.bytes.band;
      const std::uint64_t first = whole.piece.first - band.first_element;
      const std::span<const std::byte> there =
          whole.bytes.codes.subspan(plan_.weights->stored[band.stored].offset_of(first),
                                    whole.piece.rows * output_row_bytes(plan_, whole.piece.wanted));
      findings.weights.any_nonzero = !all_zero(there);
      if (holds_floats(type)) check_moved(whole, there, scratch);
      return there;
    }
    case Passage::repacked:
      repack_piece(whole, out, scratch, findings);
      break;
    case Passage::encoded:
      encode_piece(whole, out, scratch, findings);
      break;
  }
  return out;
}

void ChunkEncoder::conclude(engine::Task& task) {
  const auto& chunk = static_cast<const Chunk&>(*task.unit.details);
  if (!chunk.matrix || !chunk.matrix->add_band()) return;
  Parts rows(chunk.matrix->bytes());
  for (std::size_t i = 0; i < chunk.band.pieces.size(); ++i) {
    const weights::Piece& piece = chunk.band.pieces[i];
    task.results.push_back({piece.wanted, chunk.outputs[i],
                            rows.next(piece.rows * output_row_bytes(plan_, piece.wanted))});
  }
}

std::uint64_t ChunkEncoder::rows_at_once(const weights::Piece& piece, const Scratch& scratch) {
  return std::max<std::uint64_t>(1, floats_of(scratch.values).size() / piece.columns);
}

// Rows of one expert at a time, because they have one importance. A row is whatever is stored together.
void ChunkEncoder::encode_piece(const Strip& whole, std::span<std::byte> out, Scratch& scratch,
                                Findings& findings) const {
  const weights::Piece& piece = whole.piece;
  const std::uint64_t of_expert = whole.tensor().rows_per_expert() / whole.joint_rows();
  const std::uint64_t most = rows_at_once(piece, scratch);
  const std::size_t row_bytes = out.size() / piece.rows;
  std::span<const float> importance;
  for (std::uint64_t row = 0; row < piece.rows;) {
    const std::uint64_t in_tensor = piece.first_row + row;
    if (row == 0 || in_tensor % of_expert == 0) {
      importance = importance_of(piece, in_tensor / of_expert, scratch);
    }
    const std::uint64_t rows =
        std::min({most, piece.rows - row, of_expert - in_tensor % of_expert});
    const Strip strip = decode(whole, row, rows, scratch, findings);
    encode(strip, importance, out.subspan(row * row_bytes, rows * row_bytes), scratch, findings);
    row += rows;
  }
}

// Weights are decoded only to say which of them is wrong.
void ChunkEncoder::check_moved(const Strip& whole, std::span<const std::byte> blocks,
                               Scratch& scratch) const {
  throw_if_stopped(settings_.stop);
  const Codec& codec = *find_codec(whole.tensor().type, settings_.isa);
  if (codec.scales_finite(blocks.data(), blocks.size() / info(codec.type).block_bytes)) return;
  const std::uint64_t most = rows_at_once(whole.piece, scratch);
  Findings ignored;
  for (std::uint64_t row = 0; row < whole.piece.rows; row += most) {
    decode(whole, row, std::min(most, whole.piece.rows - row), scratch, ignored);
  }
}

void ChunkEncoder::repack_piece(const Strip& whole, std::span<std::byte> out, Scratch& scratch,
                                Findings& findings) const {
  const weights::Piece& piece = whole.piece;
  const Codec& codec = *find_codec(whole.tensor().type, settings_.isa);
  const std::size_t row_bytes = out.size() / piece.rows;
  const std::uint64_t most = rows_at_once(piece, scratch);
  for (std::uint64_t row = 0; row < piece.rows; row += most) {
    const std::uint64_t rows = std::min(most, piece.rows - row);
    std::byte* const blocks = out.data() + row * row_bytes;
    weights::move_mxfp4_rows(*plan_.weights, whole.bytes, piece, row, rows, blocks);
    const std::size_t count = rows * row_bytes / info(codec.type).block_bytes;
    if (!codec.scales_finite(blocks, count)) decode(whole, row, rows, scratch, findings);
  }
  findings.weights.any_nonzero = !all_zero(out);
}

/// \throws Error (input_value, interrupted)
Strip ChunkEncoder::decode(const Strip& whole, std::uint64_t first_row, std::uint64_t rows,
                           Scratch& scratch, Findings& findings) const {
  throw_if_stopped(settings_.stop);
  const std::span<float> values = floats_of(scratch.values).first(rows * whole.piece.columns);
  const Stopwatch decoding;
  weights::decode_rows(*plan_.weights, *plan_.wanted[whole.piece.wanted].source, whole.bytes,
                       whole.piece, first_row, rows, settings_.isa, values.data());
  if (settings_.via_bf16 && whole.tensor().source == TensorType::bf16) {
    for (float& value : values) value = bf16_to_f32(f32_to_bf16(value));
  }
  findings.decode_ns += decoding.nanoseconds();
  const Strip strip{plan_, whole.bytes, whole.piece, first_row, values};
  const float largest = largest_magnitude(values, settings_.isa);
  if (!std::isfinite(largest)) refuse_values(strip, files_);
  findings.weights.any_nonzero |= largest > 0;
  findings.largest = largest;
  return strip;
}

// For the piece's columns; empty where none is known.
std::span<const float> ChunkEncoder::importance_of(const weights::Piece& piece,
                                                   std::uint64_t expert, Scratch& scratch) const {
  const PlannedTensor& tensor = plan_.tensors[piece.wanted];
  if (tensor.importance == nullptr) return {};
  const std::span<float> row = floats_of(scratch.importance).first(tensor.row_elements());
  imatrix_->read_row(*tensor.importance, expert, row);
  return row.subspan(piece.first_column, std::min<std::uint64_t>(piece.columns, row.size()));
}

void ChunkEncoder::encode(const Strip& strip, std::span<const float> importance,
                          std::span<std::byte> out, Scratch& scratch, Findings& findings) const {
  const weights::Piece& piece = strip.piece;
  const PlannedTensor& tensor = strip.tensor();
  const Codec& to = *find_codec(tensor.type, settings_.isa);
  const bool whole_rows = piece.columns == tensor.joint_elements();
  std::byte* const blocks = whole_rows ? out.data() : scratch.blocks.bytes().data();
  const EncodeRows rows{.values = strip.values.data(),
                        .rows = strip.rows(),
                        .row_elements = strip.columns(),
                        .importance = importance.empty() ? nullptr : importance.data(),
                        .effort = settings_.effort,
                        .bias_correction = tensor.bias_correction};
  to.encode(rows, blocks);
  if (!whole_rows) {
    const std::size_t row_bytes = out.size() / rows.rows;
    const std::size_t size = byte_size(to.type, piece.columns);
    const std::size_t at = byte_size(to.type, piece.first_column);
    for (std::size_t row = 0; row < rows.rows; ++row) {
      std::memcpy(&out[row * row_bytes + at], blocks + row * size, size);
    }
  }
  if (findings.largest > least_range(to.type)) {
    findings.weights.lost_range.add(find_lost_range(to, rows, blocks));
  }
  if (scratch.decoded.bytes().empty()) return;
  const std::span<float> decoded = floats_of(scratch.decoded).first(strip.values.size());
  decode_rows(to, blocks, decoded.size(), strip.columns(), decoded.data());
  add_errors(strip.values, decoded, importance, findings.errors);
  if (settings_.verify) check_encoding(strip, decoded, importance, blocks, settings_.isa);
}

}  // namespace sluice
