#include "forecast/encode_probe.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <exception>
#include <map>
#include <thread>
#include <utility>

#include "base/threads.h"
#include "forecast/uncached_reader.h"
#include "sluice/codec.h"
#include "sluice/error.h"

namespace sluice {
namespace {

using Clock = std::chrono::steady_clock;

// So many weights, in whole rows, are encoded at a time: a millisecond with the slowest kernels.
constexpr std::uint64_t kBatchElements = 16384;

double seconds_since(Clock::time_point start) {
  return std::max(1e-9, std::chrono::duration<double>(Clock::now() - start).count());
}

double thread_cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// A conversion with rows to measure it on.
struct Trial {
  ConversionRate rate;
  std::uint64_t most = 0;  // weights of `tensor` that are left
  PlannedTensor tensor{};  // the one with the most, cut down to the batch
  std::vector<std::byte> input;
};

std::uint64_t batch_rows(const PlannedTensor& tensor) {
  const std::uint64_t rows = tensor.elements() / tensor.row_elements();
  return std::clamp<std::uint64_t>(kBatchElements / tensor.row_elements(), 1, rows);
}

// Neighbouring rows out of the middle: one seek for each conversion, where rows from everywhere
// would keep a hard disk for seconds.
void read_rows(const PlannedTensor& tensor, UncachedReader& reader, std::span<std::byte> out) {
  const std::uint64_t rows = tensor.elements() / tensor.row_elements();
  const std::uint64_t row_bytes = byte_size(tensor.source, tensor.row_elements());
  const std::uint64_t first = (rows - out.size() / row_bytes) / 2;
  const auto bytes = reader.read(tensor.part, tensor.input_offset + first * row_bytes, out.size());
  std::copy(bytes.begin(), bytes.end(), out.begin());
}

bool usable(const PlannedTensor& tensor, std::span<const std::byte> input) {
  if (std::all_of(input.begin(), input.end(), [](std::byte b) { return b == std::byte{}; })) {
    return false;
  }
  const Codec* codec = find_codec(tensor.source);
  return codec == nullptr ||
         codec->scales_finite(input.data(), input.size() / info(tensor.source).block_bytes);
}

// Weights as models have them, roughly: bell-shaped, of many sizes. Types without an encoder keep
// what they have: only copies can be of one.
void make_up_rows(const PlannedTensor& tensor, std::span<std::byte> out) {
  const Codec* codec = find_codec(tensor.source);
  if (codec == nullptr || codec->encode == nullptr) return;
  const std::uint64_t elements =
      out.size() / info(tensor.source).block_bytes * info(tensor.source).block_elements;
  std::vector<float> values(elements);
  std::uint32_t state = 1;
  const auto uniform = [&] {  // -0.5 to 0.5; Numerical Recipes' generator does for this
    state = state * 1664525u + 1013904223u;
    return static_cast<float>(state >> 8) * 0x1p-24f - 0.5f;
  };
  for (float& value : values) value = 0.02f * (uniform() + uniform() + uniform() + uniform());
  codec->encode({.values = values.data(),
                 .rows = elements / tensor.row_elements(),
                 .row_elements = tensor.row_elements(),
                 .importance = nullptr,
                 .effort = Effort::fast},
                out.data());
}

std::vector<Trial> trials_of(const Plan& plan, std::span<const std::uint64_t> left) {
  std::map<std::pair<TensorType, TensorType>, Trial> trials;
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const PlannedTensor& tensor = plan.tensors[i];
    if (left[i] == 0) continue;
    Trial& trial = trials[{tensor.source, tensor.type}];
    trial.rate.source = tensor.source;
    trial.rate.type = tensor.type;
    trial.rate.weights += left[i];
    if (left[i] <= trial.most) continue;
    trial.most = left[i];
    trial.tensor = tensor;
  }
  std::vector<Trial> sorted;
  for (auto& [types, trial] : trials) sorted.push_back(std::move(trial));
  std::sort(sorted.begin(), sorted.end(),
            [](const Trial& a, const Trial& b) { return a.rate.weights > b.rate.weights; });
  return sorted;
}

void fill(std::vector<Trial>& trials, std::span<const io::File> files) {
  std::size_t longest = 0;
  for (Trial& trial : trials) {
    const std::uint64_t elements = batch_rows(trial.tensor) * trial.tensor.row_elements();
    trial.input.resize(byte_size(trial.tensor.source, elements));
    longest = std::max(longest, trial.input.size());
  }
  UncachedReader reader(files, longest);
  for (Trial& trial : trials) {
    const std::uint64_t rows = batch_rows(trial.tensor);
    try {
      read_rows(trial.tensor, reader, trial.input);
    } catch (const Error&) {
      // Made-up rows will do.
    }
    if (!usable(trial.tensor, trial.input)) make_up_rows(trial.tensor, trial.input);
    trial.tensor.shape = {trial.tensor.row_elements(), rows};
  }
}

/// One worker, with buffers as the run's.
class Worker {
 public:
  Worker(std::span<const Trial> trials, const ImportanceMatrix* imatrix,
         const EncodeProbeOptions& options)
      : trials_(trials), imatrix_(imatrix), kernels_(options.kernels), rates_(trials.size()) {
    std::uint64_t values = 0;
    std::uint64_t row = 0;
    std::uint64_t bytes = 0;
    for (const Trial& trial : trials) {
      values = std::max(values, trial.tensor.elements());
      row = std::max(row, trial.tensor.row_elements());
      bytes = std::max(bytes, byte_size(trial.tensor.type, trial.tensor.elements()));
    }
    scratch_.values.resize(values);
    scratch_.decoded.resize(options.measure_error ? values : 0);
    scratch_.importance.resize(row);
    output_.resize(bytes);
  }

  /// Encodes each trial's rows until its share of the time is over. What cannot be encoded has no
  /// rate.
  void run(double seconds) noexcept {
    const Clock::time_point start = Clock::now();
    const double cpu_start = thread_cpu_seconds();
    for (std::size_t i = 0; i < trials_.size(); ++i) {
      try {
        // By the clock, not by what each has had: delays do not add up.
        const double end =
            seconds * static_cast<double>(i + 1) / static_cast<double>(trials_.size());
        rates_[i] = rate(trials_[i], start + std::chrono::duration<double>(end));
      } catch (const std::exception&) {
        rates_[i] = 0;
      }
    }
    // How much of a core this thread gets shows over the whole time only: on a busy machine the
    // system gives it in slices that are longer than a trial.
    const double share = (thread_cpu_seconds() - cpu_start) / seconds_since(start);
    for (double& rate : rates_) rate *= std::clamp(share, 0.01, 1.0);
  }

  const std::vector<double>& rates() const { return rates_; }

 private:
  // Weights for each second that the thread runs.
  double rate(const Trial& trial,
              std::chrono::time_point<Clock, std::chrono::duration<double>> end) {
    encode(trial);  // warms caches and the code up
    const double cpu_start = thread_cpu_seconds();
    std::uint64_t batches = 0;
    do {
      encode(trial);
      ++batches;
    } while (Clock::now() < end);
    return static_cast<double>(batches * trial.tensor.elements()) /
           std::max(thread_cpu_seconds() - cpu_start, 1e-9);
  }

  void encode(const Trial& trial) {
    const PlannedTensor& tensor = trial.tensor;
    const std::uint64_t elements = tensor.elements();
    const std::size_t out = tensor.copied() ? 0 : byte_size(tensor.type, elements);
    ErrorSums sums;
    encode_chunk(tensor,
                 {.tensor = 0,
                  .first_element = 0,
                  .elements = elements,
                  .input_offset = 0,
                  .input_size = trial.input.size(),
                  .output_offset = 0,
                  .output_size = out,
                  .expert = 0},
                 kernels_, imatrix_, {}, trial.input, std::span(output_).first(out), scratch_,
                 sums);
  }

  std::span<const Trial> trials_;
  const ImportanceMatrix* imatrix_;
  const Kernels kernels_;
  Scratch scratch_;
  std::vector<std::byte> output_;
  std::vector<double> rates_;
};

}  // namespace

std::vector<ConversionRate> measure_encoding(const Plan& plan, std::span<const std::uint64_t> left,
                                             const ImportanceMatrix* imatrix,
                                             std::span<const io::File> files,
                                             const EncodeProbeOptions& options) {
  std::vector<Trial> trials = trials_of(plan, left);
  fill(trials, files);
  std::vector<Worker> workers;
  for (int i = 0; i < std::min(options.threads, core_count()); ++i) {
    workers.emplace_back(trials, imatrix, options);
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < workers.size(); ++i) {
    threads.emplace_back([&, i] { workers[i].run(options.seconds); });
  }
  workers.front().run(options.seconds);
  for (std::thread& thread : threads) thread.join();

  std::vector<ConversionRate> rates;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    rates.push_back(trials[i].rate);
    for (const Worker& worker : workers) rates.back().weights_per_s += worker.rates()[i];
  }
  return rates;
}

}  // namespace sluice
