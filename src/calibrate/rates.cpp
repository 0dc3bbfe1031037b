#include "calibrate/rates.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <random>
#include <vector>

#include "base/page_buffer.h"
#include "base/serial_team.h"
#include "calibrate/feedback_settings.h"
#include "codec/preparation.h"
#include "codec/row_groups.h"
#include "feedback/feedback.h"
#include "linear/functions.h"
#include "linear/products.h"
#include "model/attention.h"

namespace sluice::calibrate {
namespace {

// What takes so long is told from what the clock and the caches take.
constexpr double kMoment = 2e-3;

std::vector<float> made_up(std::size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

/// Seconds of something that is done again and again, once its code and what it works on are in the caches.
double seconds_of(const std::function<void()>& task) {
  task();
  std::size_t times = 0;
  const CpuStopwatch watch;
  do {
    task();
    ++times;
  } while (watch.seconds() < kMoment);
  return watch.seconds() / static_cast<double>(times);
}

/// Multiplications and additions a second of one thread.
double product_rate(Isa isa) {
  constexpr std::size_t kSize = 512;
  const std::vector<float> a = made_up(kSize * kSize);
  std::vector<float> out(kSize * kSize);
  const linear::ConstMatrix matrix(a.data(), kSize, kSize, kSize);
  SerialTeam team;
  const double seconds = seconds_of([&] {
    linear::multiply(matrix, matrix, {out.data(), kSize, kSize, kSize}, isa, team);
  });
  return 2.0 * kSize * kSize * kSize / seconds;
}

/// Seconds of one thread, of numbers that no cache of its own holds.
double number_seconds(Isa isa) {
  constexpr std::size_t kNumbers = std::size_t{1} << 20;
  std::vector<float> gates(kNumbers, 1.0F);
  const std::vector<float> ups(kNumbers, 1.0F);
  return seconds_of([&] { linear::silu_gate(gates.data(), ups.data(), kNumbers, isa); }) / kNumbers;
}

/// The factor of inputs that have nothing to do with one another.
linear::Factor unrelated(std::size_t columns) {
  constexpr std::size_t kPanel = linear::Triangle::kPanel;
  linear::Factor factor{linear::Triangle(columns), std::vector<float>(columns * kPanel)};
  for (std::size_t i = 0; i < columns; ++i) {
    factor.u.diagonal(i) = 1;
    factor.local[i * kPanel + i % kPanel] = 1;
  }
  return factor;
}

constexpr std::size_t kMeasuredColumns = 512;

/// Seconds a weight of one thread, for rows of kMeasuredColumns.
double feedback_seconds(TensorType type, Effort effort, Isa isa) {
  const linear::Factor factor = unrelated(kMeasuredColumns);
  const std::size_t count = feedback::kRowsAtOnce * kMeasuredColumns;
  const std::vector<float> values = made_up(count);
  const PageBuffer scratch(feedback::scratch_bytes(kMeasuredColumns));
  std::vector<std::byte> out(byte_size(type, count, kMeasuredColumns));
  const CpuStopwatch watch;
  feedback::encode_rows({values.data(), feedback::kRowsAtOnce, kMeasuredColumns, kMeasuredColumns},
                        factor, feedback_settings(type, effort, isa), scratch.bytes().data(),
                        out.data());
  return watch.seconds() / static_cast<double>(count);
}

/// Rows of a type: as many as any stores together.
struct SomeRows {
  static constexpr std::size_t kRows = 8;
  static constexpr std::size_t kNumbers = kRows * kMeasuredColumns;

  explicit SomeRows(TensorType type)
      : values(made_up(kNumbers)),
        importance(kMeasuredColumns),
        blocks(byte_size(type, kNumbers, kMeasuredColumns)) {
    for (std::size_t i = 0; i < kMeasuredColumns; ++i) importance[i] = values[i] * values[i];
  }

  void encode(const Codec& codec, Effort effort) {
    codec.encode({.values = values.data(),
                  .rows = kRows,
                  .row_elements = kMeasuredColumns,
                  .importance = importance.data(),
                  .effort = effort},
                 blocks.data());
  }

  std::vector<float> values;
  std::vector<float> importance;
  std::vector<std::byte> blocks;
};

double encoding_seconds(TensorType type, Effort effort, Isa isa) {
  if (const Codec* codec = find_codec(type, isa); codec == nullptr || codec->encode == nullptr) {
    return 0;
  }
  SomeRows rows(type);
  const Codec& codec = prepared_codec(type, isa);
  return seconds_of([&] { rows.encode(codec, effort); }) / SomeRows::kNumbers;
}

double decoding_seconds(TensorType type, Effort effort, Isa isa) {
  const Codec* const codec = find_codec(type, isa);
  if (codec == nullptr) return 0;
  SomeRows rows(type);
  if (codec->encode != nullptr) rows.encode(prepared_codec(type, isa), effort);
  const auto decode = [&] {
    decode_rows(*codec, rows.blocks.data(), SomeRows::kNumbers, kMeasuredColumns,
                rows.values.data());
  };
  return seconds_of(decode) / SomeRows::kNumbers;
}

/// One head's, all of whose keys are seen, for each number that it gives.
double attention_seconds(std::size_t length, Isa isa) {
  constexpr std::size_t kHead = 64;
  std::vector<float> numbers = made_up(length * kHead);
  std::vector<float> out(numbers.size());
  const linear::Matrix all{numbers.data(), length, kHead, kHead};
  const model::Scores scores{
      .heads = 1, .key_heads = 1, .key_length = kHead, .value_length = kHead};
  SerialTeam team;
  const double seconds = seconds_of([&] {
    model::attend(scores, length, all, all, all, {}, {out.data(), length, kHead, kHead}, isa, team);
  });
  return seconds / static_cast<double>(out.size());
}

}  // namespace

Rates::Rates(Effort effort, Isa isa, int cores)
    : effort_(effort),
      isa_(isa),
      cores_(cores),
      operation_(1 / (product_rate(isa) * cores)),
      number_(number_seconds(isa) / cores) {}

double Rates::delay() const {
  return std::clamp(clock_.seconds() / processor_.seconds(), 1.0, 100.0);
}

double Rates::attention(std::uint64_t sequence_length) const {
  return attention_seconds(sequence_length, isa_) / cores_;
}

double Rates::feedback(TensorType type, double columns) {
  const auto [entry, is_new] = feedback_.try_emplace(type);
  if (is_new) entry->second = feedback_seconds(type, effort_, isa_) / cores_;
  const int passes = 1 + feedback_settings(type, effort_, isa_).sweeps;
  const double more = 2 * passes * (columns - static_cast<double>(kMeasuredColumns)) * operation_;
  return std::max(0.0, entry->second + more);
}

double Rates::encoding(TensorType type) {
  const auto [entry, is_new] = encoding_.try_emplace(type);
  if (is_new) entry->second = encoding_seconds(type, effort_, isa_) / cores_;
  return entry->second;
}

double Rates::decoding(TensorType type) {
  const auto [entry, is_new] = decoding_.try_emplace(type);
  if (is_new) entry->second = decoding_seconds(type, effort_, isa_) / cores_;
  return entry->second;
}

}  // namespace sluice::calibrate
