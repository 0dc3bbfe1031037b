#include "measure/encoded_matrix.h"

#include <algorithm>

#include "base/float16.h"
#include "base/stop.h"
#include "calibrate/feedback_settings.h"
#include "codec/feedback.h"
#include "codec/preparation.h"
#include "codec/row_groups.h"
#include "feedback/feedback.h"
#include "sluice/codec.h"

namespace sluice::measure {
namespace {

void encode_plainly(const linear::ConstMatrix& values, const Codec& codec, const Encoding& encoding,
                    Effort effort, std::byte* blocks) {
  codec.encode({.values = values.data,
                .rows = values.rows,
                .row_elements = values.columns,
                .importance = encoding.importance.empty() ? nullptr : encoding.importance.data(),
                .effort = effort,
                .bias_correction = encoding.bias_correction},
               blocks);
}

}  // namespace

std::uint64_t EncodingScratch::bytes(std::uint64_t columns, bool with_feedback) {
  return kRowsOfWorker * columns * sizeof(float) +  // no blocks are larger than F32
         (with_feedback ? feedback::scratch_bytes(columns) : 0);
}

void read_rows(const linear::Rows& rows, std::size_t first, std::size_t count,
               const Encoding& encoding, float* out) {
  rows.decode(first, count, out);
  if (!encoding.bf16) return;
  for (float& value : std::span(out, count * rows.columns())) {
    value = bf16_to_f32(f32_to_bf16(value));
  }
}

void encode_rows(const linear::ConstMatrix& values, TensorType type, const Encoding& encoding,
                 const EncoderSettings& settings, EncodingScratch& scratch, std::byte* blocks) {
  throw_if_stopped(settings.stop);
  const Codec& codec = prepared_codec(type, settings.isa);
  if (encoding.factor == nullptr || find_feedback(type, settings.isa) == nullptr) {
    return encode_plainly(values, codec, encoding, settings.effort, blocks);
  }
  if (!scratch.feedback) scratch.feedback.emplace(feedback::scratch_bytes(values.columns));
  feedback::encode_rows(values, *encoding.factor,
                        calibrate::feedback_settings(type, settings.effort, settings.isa),
                        scratch.feedback->bytes().data(), blocks);
}

void recode_rows(const linear::ConstMatrix& values, TensorType type, const Encoding& encoding,
                 const EncoderSettings& settings, EncodingScratch& scratch, float* out) {
  if (const std::size_t rows = whole_groups(type, values.rows); rows != values.rows) {
    // Zeros in place of the rows that are stored with the last ones change nothing of these.
    std::vector<float> whole(rows * values.columns);
    std::copy_n(values.data, values.rows * values.columns, whole.begin());
    recode_rows({whole.data(), rows, values.columns, values.columns}, type, encoding, settings,
                scratch, whole.data());
    std::copy_n(whole.begin(), values.rows * values.columns, out);
    return;
  }
  const std::size_t numbers = values.rows * values.columns;
  scratch.blocks.resize(
      std::max<std::size_t>(scratch.blocks.size(), byte_size(type, numbers, values.columns)));
  encode_rows(values, type, encoding, settings, scratch, scratch.blocks.data());
  decode_rows(*find_codec(type, settings.isa), scratch.blocks.data(), numbers, values.columns, out);
}

EncodedMatrix::EncodedMatrix(const linear::Rows& rows, TensorType type, const Encoding& encoding,
                             const EncoderSettings& settings, Team& team)
    : rows_(rows.rows()),
      columns_(rows.columns()),
      type_(type),
      isa_(settings.isa),
      blocks_(bytes(type, rows_, columns_)) {
  std::vector<std::vector<float>> values(static_cast<std::size_t>(team.threads()));
  std::vector<EncodingScratch> scratch(values.size());
  team.run((rows_ + kRowsOfWorker - 1) / kRowsOfWorker, [&](std::size_t task, int worker) {
    const std::size_t first = task * kRowsOfWorker;
    const std::size_t count = std::min(kRowsOfWorker, rows_ - first);
    std::vector<float>& some = values[static_cast<std::size_t>(worker)];
    some.resize(kRowsOfWorker * columns_);
    read_rows(rows, first, count, encoding, some.data());
    encode_rows({some.data(), count, columns_, columns_}, type, encoding, settings,
                scratch[static_cast<std::size_t>(worker)],
                blocks_.data() + first * row_size(type, columns_));
  });
}

std::uint64_t EncodedMatrix::bytes(TensorType type, std::uint64_t rows, std::uint64_t columns) {
  return rows * row_size(type, columns);
}

std::uint64_t EncodedMatrix::scratch_bytes(std::uint64_t columns, bool with_feedback, int threads) {
  return static_cast<std::uint64_t>(threads) *
         (kRowsOfWorker * columns * sizeof(float) + EncodingScratch::bytes(columns, with_feedback));
}

void EncodedMatrix::decode(std::size_t first, std::size_t count, float* out) const {
  decode_some_rows(*find_codec(type_, isa_), blocks_.data(), first, count, columns_, out);
}

void RecodedRows::decode(std::size_t first, std::size_t count, float* out) const {
  std::vector<float> values(count * columns());
  EncodingScratch scratch;
  read_rows(of_, first, count, encoding_, values.data());
  recode_rows({values.data(), count, columns(), columns()}, type_, encoding_, settings_, scratch,
              out);
}

}  // namespace sluice::measure
