#include "measure/input_errors.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "linear/products.h"

namespace sluice::measure {
namespace {

// Rows that are compared at once: a product of them takes long against its setting up.
constexpr std::size_t kRowsTogether = 448;
/// Some rows at a time, in their types and multiplied by the inputs.
class RowsUnderInputs {
 public:
  RowsUnderInputs(const InputErrorsRequest& request, const EncoderSettings& settings, Team& team)
      : request_(request),
        settings_(settings),
        team_(team),
        columns_(request.rows.columns()),
        values_(kRowsTogether * columns_),
        errors_(kRowsTogether * columns_),
        products_(kRowsTogether * request.inputs.rows),
        scratch_(static_cast<std::size_t>(team.threads())) {}

  RowSums run() {
    for (const RowRun& run : request_.runs) {
      for (std::uint64_t done = 0; done < run.count;) {
        const std::size_t count = std::min(kRowsTogether - held_, run.count - done);
        read(run.first + done, count);
        done += count;
        if (held_ == kRowsTogether) measure();
      }
    }
    if (held_ > 0) measure();
    return std::move(sums_);
  }

 private:
  void for_groups(const std::function<void(std::size_t first, std::size_t count, int worker)>& of) {
    team_.run((held_ + kRowsOfWorker - 1) / kRowsOfWorker, [&](std::size_t task, int worker) {
      const std::size_t first = task * kRowsOfWorker;
      of(first, std::min(kRowsOfWorker, held_ - first), worker);
    });
  }

  void read(std::uint64_t first, std::size_t count) {
    read_rows(request_.rows, first, count, request_.encoding, values_.data() + held_ * columns_);
    held_ += count;
  }

  void measure() {
    sums_.power += squared(values_);
    for (const TensorType type : request_.types) {
      for_groups([&](std::size_t first, std::size_t count, int worker) {
        encode(type, first, count, scratch_[static_cast<std::size_t>(worker)]);
      });
      sums_.errors[type] += squared(errors_);
    }
    held_ = 0;
  }

  // Leaves W - Q.
  void encode(TensorType type, std::size_t first, std::size_t count, EncodingScratch& scratch) {
    const linear::ConstMatrix rows(values_.data() + first * columns_, count, columns_, columns_);
    float* const out = errors_.data() + first * columns_;
    recode_rows(rows, type, request_.encoding, settings_, scratch, out);
    for (std::size_t i = 0; i < count * columns_; ++i) out[i] = rows.data[i] - out[i];
  }

  // Sum of the squares of what rows give.
  double squared(const std::vector<float>& rows) {
    const std::size_t tokens = request_.inputs.rows;
    linear::multiply({rows.data(), held_, columns_, columns_}, request_.inputs,
                     {products_.data(), held_, tokens, tokens}, settings_.isa, team_);
    std::vector<double> of_rows(held_);
    for_groups([&](std::size_t first, std::size_t count, int) {
      for (std::size_t row = first; row < first + count; ++row) {
        for (std::size_t t = 0; t < tokens; ++t) {
          const double product = products_[row * tokens + t];
          of_rows[row] += product * product;
        }
      }
    });
    return std::accumulate(of_rows.begin(), of_rows.end(), 0.0);
  }

  const InputErrorsRequest& request_;
  const EncoderSettings& settings_;
  Team& team_;
  const std::size_t columns_;
  std::vector<float> values_;
  std::vector<float> errors_;
  std::vector<float> products_;
  std::vector<EncodingScratch> scratch_;
  std::size_t held_ = 0;  // rows
  RowSums sums_;
};

}  // namespace

RowSums input_errors(const InputErrorsRequest& request, const EncoderSettings& settings,
                     Team& team) {
  return RowsUnderInputs(request, settings, team).run();
}

std::uint64_t input_errors_bytes(std::uint64_t columns, std::uint64_t tokens, bool with_feedback,
                                 int threads) {
  return kRowsTogether * (2 * columns + tokens) * sizeof(float) +
         static_cast<std::uint64_t>(threads) * EncodingScratch::bytes(columns, with_feedback);
}

}  // namespace sluice::measure
