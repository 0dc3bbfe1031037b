#include "forecast/encode_probe.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/cpu_clock.h"
#include "base/threads.h"
#include "engine/memory_plan.h"
#include "engine/monitor.h"
#include "engine/stream.h"
#include "engine/turns.h"
#include "forecast/row_sample.h"
#include "io/source.h"
#include "quantize/chunk_producer.h"
#include "sluice/error.h"

namespace sluice {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::max(1e-9, std::chrono::duration<double>(Clock::now() - start).count());
}

/// A conversion, and how much of it is left in its largest tensor.
struct Conversion {
  ConversionRate rate;
  std::uint64_t most = 0;
  std::size_t tensor = 0;  // the largest
};

std::vector<Conversion> conversions_of(const Plan& plan, std::span<const std::uint64_t> left) {
  std::map<std::pair<TensorType, TensorType>, Conversion> conversions;
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const PlannedTensor& tensor = plan.tensors[i];
    if (left[i] == 0 || !has_layout(tensor.source)) continue;
    if (plan.wanted[i].source->views.empty()) continue;
    Conversion& conversion = conversions[{tensor.source, tensor.type}];
    conversion.rate.source = tensor.source;
    conversion.rate.type = tensor.type;
    conversion.rate.weights += left[i];
    if (left[i] <= conversion.most) continue;
    conversion.most = left[i];
    conversion.tensor = i;
  }
  std::vector<Conversion> sorted;
  for (auto& [types, conversion] : conversions) sorted.push_back(std::move(conversion));
  std::sort(sorted.begin(), sorted.end(), [](const Conversion& a, const Conversion& b) {
    return a.rate.weights > b.rate.weights;
  });
  return sorted;
}

/// The work of measuring: a unit for each conversion reads its rows; when all are there, a unit for
/// each thread encodes them.
class EncodeProbe final : public engine::Producer, public engine::Operator {
 public:
  /// \param cut     a tensor for each conversion
  /// \param unread  why no rows are read; empty: they are
  EncodeProbe(const Plan& cut, ChunkEncoder& encoder, int threads, double seconds,
              const std::string& unread)
      : cut_(cut),
        encoder_(encoder),
        threads_(static_cast<std::size_t>(threads)),
        seconds_(seconds),
        made_up_(cut.tensors.size(), unread),
        rates_(cut.tensors.size()) {
    for (std::uint32_t i = 0; i < cut.tensors.size(); ++i) {
      RowSample& sample = samples_.emplace_back();
      sample.band = sample_of(cut, i);
      sample.codes.resize(sample.band.range.size);
      if (sample.band.scales) sample.factors.resize(sample.band.scales->size);
      if (!unread.empty()) make_up_rows(stored(i), sample);
    }
    to_read_ = rows_there_ = unread.empty() ? 0 : samples_.size();
  }

  std::optional<engine::Unit> next(std::stop_token ended) override {
    if (to_read_ < samples_.size()) return rows_of(to_read_++);
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, ended, [&] { return rows_there_ == samples_.size(); })) {
      return std::nullopt;
    }
    if (measuring_++ == threads_) return std::nullopt;
    return engine::Unit{};
  }

  void run(engine::Task& task, int worker) override {
    task.inputs.empty() ? measure(worker) : take_rows(task);
  }

  double rate(std::size_t conversion) const { return rates_[conversion]; }
  const std::string& made_up(std::size_t conversion) const { return made_up_[conversion]; }

 private:
  const weights::Stored& stored(std::size_t conversion) const {
    return cut_.weights->stored[samples_[conversion].band.stored];
  }

  engine::Unit rows_of(std::size_t conversion) const {
    const weights::Band& band = samples_[conversion].band;
    engine::Unit unit;
    unit.inputs = {band.range};
    if (band.scales) unit.inputs.push_back(*band.scales);
    unit.tensor = static_cast<std::uint32_t>(conversion);
    return unit;
  }

  void take_rows(const engine::Task& task) {
    const std::uint32_t i = task.unit.tensor;
    RowSample& sample = samples_[i];
    std::ranges::copy(task.inputs[0], sample.codes.begin());
    if (task.inputs.size() > 1) std::ranges::copy(task.inputs[1], sample.factors.begin());
    made_up_[i] = unfit(stored(i), sample.codes);
    if (!made_up_[i].empty()) make_up_rows(stored(i), sample);
    const std::lock_guard lock(mutex_);
    ++rows_there_;
    changed_.notify_all();
  }

  /// The work of encoding a sample.
  engine::Task task_of(const RowSample& sample, std::vector<std::byte>& room) const {
    auto chunk = std::make_unique<Chunk>();
    chunk->band = sample.band;
    chunk->outputs.resize(sample.band.pieces.size());
    if (sample.band.matrix) chunk->matrix = std::make_shared<MatrixBuffer>(cut_.matrix_bytes);
    engine::Task task{.unit = unit_of(cut_, std::move(chunk))};
    task.inputs = {sample.codes, sample.factors};
    room.resize(task.unit.room);
    task.room = room;
    return task;
  }

  // Encodes each conversion's rows until its share of the time is over. What cannot be encoded has
  // no rate.
  void measure(int worker) {
    std::vector<double> rates(samples_.size());
    const Clock::time_point start = Clock::now();
    const CpuStopwatch cpu;
    for (std::size_t i = 0; i < rates.size(); ++i) {
      try {
        // By the clock, not by what each has had: delays do not add up.
        const double end =
            seconds_ * static_cast<double>(i + 1) / static_cast<double>(rates.size());
        rates[i] = measure(i, worker, start + std::chrono::duration<double>(end));
      } catch (const Error&) {
        rates[i] = 0;
      }
    }
    // How much of a core this thread gets shows over the whole time only: on a busy machine the
    // system gives it in slices that are longer than a conversion's share.
    const double share = cpu.seconds() / seconds_since(start);
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < rates.size(); ++i) {
      rates_[i] += rates[i] * std::clamp(share, 0.01, 1.0);
    }
  }

  // Weights for each second that the thread runs.
  double measure(std::size_t conversion, int worker,
                 std::chrono::time_point<Clock, std::chrono::duration<double>> end) {
    std::vector<std::byte> room;
    engine::Task task = task_of(samples_[conversion], room);
    const auto encode = [&] {
      task.results.clear();
      encoder_.run(task, worker);
    };
    encode();  // warms caches and the code up
    const CpuStopwatch cpu;
    std::uint64_t batches = 0;
    do {
      encode();
      ++batches;
    } while (Clock::now() < end);
    return static_cast<double>(batches * task.unit.elements) / std::max(cpu.seconds(), 1e-9);
  }

  const Plan& cut_;
  ChunkEncoder& encoder_;
  const std::size_t threads_;
  const double seconds_;
  std::size_t to_read_ = 0;    // the next conversion whose rows are read
  std::size_t measuring_ = 0;  // units that measure
  std::vector<RowSample> samples_;
  std::vector<std::string> made_up_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t rows_there_ = 0;
  std::vector<double> rates_;
};

/// The largest tensors of all conversions, in their order.
Plan cut_of(const Plan& plan, std::span<const Conversion> conversions) {
  Plan cut;
  cut.weights = plan.weights;
  cut.matrix_bytes = plan.matrix_bytes;
  for (const Conversion& conversion : conversions) {
    cut.tensors.push_back(plan.tensors[conversion.tensor]);
    cut.wanted.push_back(plan.wanted[conversion.tensor]);
  }
  return cut;
}

engine::MemoryNeeds probe_needs(const Plan& cut, const EncoderSettings& settings) {
  engine::MemoryNeeds needs{.threads = settings.threads, .inputs = 2};
  for (std::uint32_t i = 0; i < cut.tensors.size(); ++i) {
    const weights::Band band = sample_of(cut, i);
    const std::uint64_t bytes = band.range.size + (band.scales ? band.scales->size : 0);
    needs.smallest_unit = std::max(needs.smallest_unit, bytes);
    needs.input_size += bytes;
  }
  return needs;
}

void carry_out(EncodeProbe& probe, const engine::MemoryNeeds& needs, io::Source& source,
               const std::atomic<bool>* stop) {
  // Not within the run's budget, which may be too small for the run; little of it is touched.
  constexpr std::uint64_t kPlenty = std::uint64_t{256} << 20;
  const engine::MemoryPlan memory =
      engine::plan_memory(needs, engine::least_memory(needs, 0) + kPlenty, 0);
  engine::Turns turns(false);
  Observer silent;
  engine::Monitor monitor(silent, needs.threads, needs.input_size, {});
  engine::stream({probe, probe}, source, memory, {.threads = needs.threads, .stop = stop}, turns,
                 monitor);
}

}  // namespace

std::vector<ConversionRate> measure_encoding(const Plan& plan, std::span<const std::uint64_t> left,
                                             const ImportanceMatrix* imatrix,
                                             std::span<const io::File> files,
                                             EncoderSettings settings, double seconds) {
  const std::vector<Conversion> conversions = conversions_of(plan, left);
  const Plan cut = cut_of(plan, conversions);
  settings.threads = std::min(settings.threads, core_count());
  EncodingFindings found(cut.tensors.size());
  ChunkEncoder encoder(cut, files, imatrix, nullptr, settings, found);
  const engine::MemoryNeeds needs = probe_needs(cut, settings);
  const std::unique_ptr<io::Source> source = io::open_uncached_source(io::pointers_to(files));

  const auto rates = [&](const std::string& unread) {
    EncodeProbe probe(cut, encoder, settings.threads, seconds, unread);
    carry_out(probe, needs, *source, settings.stop);
    std::vector<ConversionRate> measured;
    for (std::size_t i = 0; i < conversions.size(); ++i) {
      measured.push_back(conversions[i].rate);
      measured.back().weights_per_s = probe.rate(i);
      measured.back().made_up = probe.made_up(i);
    }
    return measured;
  };
  try {
    return rates({});
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) throw;
    return rates(error.what());  // rows that cannot be read
  }
}

}  // namespace sluice
