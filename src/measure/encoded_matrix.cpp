#include "measure/encoded_matrix.h"

#include <algorithm>

#include "base/float16.h"
#include "base/stop.h"
#include "sluice/codec.h"

namespace sluice::measure {
namespace {

constexpr std::size_t kRowsOfTask = 16;

EncodeRows rows_of(const linear::ConstMatrix& values, const Encoding& encoding, Effort effort) {
  return {.values = values.data,
          .rows = values.rows,
          .row_elements = values.columns,
          .importance = encoding.importance.empty() ? nullptr : encoding.importance.data(),
          .effort = effort,
          .bias_correction = encoding.bias_correction};
}

}  // namespace

void read_rows(const linear::Rows& rows, std::size_t first, std::size_t count,
               const Encoding& encoding, float* out) {
  rows.decode(first, count, out);
  if (!encoding.bf16) return;
  for (float& value : std::span(out, count * rows.columns())) {
    value = bf16_to_f32(f32_to_bf16(value));
  }
}

void recode_rows(const linear::ConstMatrix& values, TensorType type, const Encoding& encoding,
                 const EncoderSettings& settings, std::vector<std::byte>& blocks, float* out) {
  throw_if_stopped(settings.stop);
  const Codec& codec = *find_codec(type, settings.isa);
  const std::size_t numbers = values.rows * values.columns;
  blocks.resize(std::max<std::size_t>(blocks.size(), byte_size(type, numbers)));
  codec.encode(rows_of(values, encoding, settings.effort), blocks.data());
  codec.decode(blocks.data(), out, numbers);
}

EncodedMatrix::EncodedMatrix(const linear::Rows& rows, TensorType type, const Encoding& encoding,
                             const EncoderSettings& settings, Team& team)
    : rows_(rows.rows()),
      columns_(rows.columns()),
      type_(type),
      isa_(settings.isa),
      blocks_(bytes(type, rows_, columns_)) {
  const Codec& codec = *find_codec(type, settings.isa);
  std::vector<std::vector<float>> values(static_cast<std::size_t>(team.threads()));
  team.run((rows_ + kRowsOfTask - 1) / kRowsOfTask, [&](std::size_t task, int worker) {
    throw_if_stopped(settings.stop);
    const std::size_t first = task * kRowsOfTask;
    const std::size_t count = std::min(kRowsOfTask, rows_ - first);
    std::vector<float>& some = values[static_cast<std::size_t>(worker)];
    some.resize(kRowsOfTask * columns_);
    read_rows(rows, first, count, encoding, some.data());
    codec.encode(rows_of({some.data(), count, columns_, columns_}, encoding, settings.effort),
                 blocks_.data() + first * byte_size(type, columns_));
  });
}

std::uint64_t EncodedMatrix::bytes(TensorType type, std::uint64_t rows, std::uint64_t columns) {
  return rows * byte_size(type, columns);
}

std::uint64_t EncodedMatrix::scratch_bytes(std::uint64_t columns, int threads) {
  return static_cast<std::uint64_t>(threads) * kRowsOfTask * columns * sizeof(float);
}

void EncodedMatrix::decode(std::size_t first, std::size_t count, float* out) const {
  find_codec(type_, isa_)
      ->decode(blocks_.data() + first * byte_size(type_, columns_), out, count * columns_);
}

void RecodedRows::decode(std::size_t first, std::size_t count, float* out) const {
  std::vector<float> values(count * columns());
  std::vector<std::byte> blocks;
  read_rows(of_, first, count, encoding_, values.data());
  recode_rows({values.data(), count, columns(), columns()}, type_, encoding_, settings_, blocks,
              out);
}

}  // namespace sluice::measure
