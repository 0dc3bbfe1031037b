#include "measure/input_errors.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "base/page_buffer.h"
#include "base/stop.h"
#include "calibrate/feedback_settings.h"
#include "codec/feedback.h"
#include "feedback/feedback.h"
#include "linear/products.h"
#include "sluice/codec.h"

namespace sluice::measure {
namespace {

// Rows that are compared at once: a product of them takes long against its setting up.
constexpr std::size_t kRowsTogether = 448;
// And those that a worker encodes at once.
constexpr std::size_t kRowsOfWorker = 56;

/// What a worker encodes with.
struct RecodeScratch {
  RecodeScratch(std::size_t columns, bool with_feedback)
      : feedback(with_feedback ? feedback::scratch_bytes(columns) : 0) {}

  std::vector<std::byte> blocks = {};
  PageBuffer feedback;
};

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
        products_(kRowsTogether * request.inputs.rows) {
    for (int i = 0; i < team.threads(); ++i) {
      scratch_.emplace_back(columns_, request.factor != nullptr);
    }
  }

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
  void encode(TensorType type, std::size_t first, std::size_t count, RecodeScratch& scratch) {
    const linear::ConstMatrix rows(values_.data() + first * columns_, count, columns_, columns_);
    float* const out = errors_.data() + first * columns_;
    if (request_.factor != nullptr && find_feedback(type, settings_.isa) != nullptr) {
      throw_if_stopped(settings_.stop);
      scratch.blocks.resize(byte_size(type, kRowsOfWorker * columns_));
      feedback::encode_rows(rows, *request_.factor,
                            calibrate::feedback_settings(type, settings_.effort, settings_.isa),
                            scratch.feedback.bytes().data(), scratch.blocks.data());
      find_codec(type, settings_.isa)->decode(scratch.blocks.data(), out, count * columns_);
    } else {
      recode_rows(rows, type, request_.encoding, settings_, scratch.blocks, out);
    }
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
  std::vector<RecodeScratch> scratch_;
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
  const std::uint64_t of_worker = kRowsOfWorker * columns * sizeof(float) +
                                  (with_feedback ? feedback::scratch_bytes(columns) : 0);
  return kRowsTogether * (2 * columns + tokens) * sizeof(float) +
         static_cast<std::uint64_t>(threads) * of_worker;
}

}  // namespace sluice::measure
