#include "sluice/imatrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <span>

#include "api/imatrix_files.h"
#include "api/imatrix_run.h"
#include "base/clocks.h"
#include "base/process_memory.h"
#include "base/team.h"
#include "base/text.h"
#include "base/thread.h"
#include "base/threads.h"
#include "calibrate/importance_sums.h"
#include "calibrate/model_weights.h"
#include "calibrate/walk.h"
#include "engine/input.h"
#include "engine/memory_plan.h"
#include "engine/team.h"
#include "io/sink.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice {
namespace {

// With so many tokens a mean of squares is off by a seventh of itself (sqrt(2 / 100)), were the
// values normal.
constexpr std::uint64_t kFewTokens = 100;

// Besides what is shared out: the sums of a layer, stacks, allocator slack.
constexpr std::uint64_t kBeside = std::uint64_t{24} << 20;

/// Tells how far a run is: by the bytes of the matrices whose inputs are summed.
class SumProgress {
 public:
  SumProgress(const ImatrixRun& run, calibrate::ModelWeights& weights, Observer& observer)
      : weights_(weights), map_(weights.map()), observer_(observer) {
    for (std::uint64_t layer = 0; layer < run.network->layers(); ++layer) {
      layer_bytes_.push_back(0);
      for (const auto& together : run.network->inputs_of(layer)) {
        for (const model::Input& input : together) {
          layer_bytes_.back() += input.matrices * bytes_of(input);
        }
      }
      progress_.input_bytes += layer_bytes_.back();
    }
  }

  void skip(std::uint64_t layers) {
    for (std::uint64_t i = 0; i < layers; ++i) progress_.input_bytes_done += layer_bytes_[i];
    progress_.input_bytes_skipped = progress_.input_bytes_done;
  }

  void finished(const model::Input& input) {
    progress_.input_bytes_done =
        std::min(progress_.input_bytes, progress_.input_bytes_done + bytes_of(input));
    progress_.elapsed_s = watch_.seconds();
    progress_.wait_disk_s = weights_.waited_s();
    progress_.wait_cores_s = progress_.elapsed_s - progress_.wait_disk_s;
    for (const std::string& name : input.tensors) {
      if (const auto index = map_.find(name)) {
        progress_.weights_done += map_.rows(*index) * map_.columns(*index);
      }
    }
    observer_.progress(progress_);
  }

 private:
  calibrate::ModelWeights& weights_;
  const calibrate::MatrixMap& map_;
  Observer& observer_;
  Stopwatch watch_;
  std::vector<std::uint64_t> layer_bytes_;
  Progress progress_;

  // Of one matrix of each of the tensors.
  std::uint64_t bytes_of(const model::Input& input) const {
    std::uint64_t bytes = 0;
    for (const std::string& name : input.tensors) {
      const auto index = map_.find(name);
      if (index) bytes += calibrate::stored_bytes(map_.bands({*index, 0}));
    }
    return bytes;
  }
};

/// A team that sees how much memory is held, while what its work needs is there. For one caller.
class WatchedTeam final : public Team {
 public:
  explicit WatchedTeam(Team& team) : team_(team) {}

  int threads() const override { return team_.threads(); }

  void run(std::size_t count,
           const std::function<void(std::size_t task, int worker)>& task) override {
    team_.run(count, task);
    constexpr double kEverySeconds = 0.02;  // reading /proc takes some 20 us
    if (since_look_.seconds() < kEverySeconds) return;
    since_look_ = Stopwatch();
    peak_ = std::max(peak_, anonymous_bytes());
  }

  /// The most anonymous memory that was seen.
  std::uint64_t peak() const { return std::max(peak_, anonymous_bytes()); }

 private:
  Team& team_;
  Stopwatch since_look_;
  std::uint64_t peak_ = 0;
};

// How many tokens experts saw, of all runs.
void report_experts(io::Sink& sink, const imatrix::Layout& layout, ImatrixReport& report) {
  std::vector<std::vector<std::uint64_t>> seen;  // by layers: one tensor of experts tells all
  for (const auto& [name, place] : layout.places()) {
    unsigned layer = 0;
    if (!place.tensor.counts_each || std::sscanf(name.c_str(), "blk.%u.", &layer) != 1) continue;
    std::vector<float> counts(place.tensor.matrices);
    sink.read_at(place.counts, std::as_writable_bytes(std::span(counts)));
    if (seen.size() <= layer) seen.resize(layer + 1);
    seen[layer].assign(counts.begin(), counts.end());
  }
  report.few_tokens = kFewTokens;
  for (std::uint64_t layer = 0; layer < seen.size(); ++layer) {
    for (std::uint64_t expert = 0; expert < seen[layer].size(); ++expert) {
      ++report.experts;
      const std::uint64_t tokens = seen[layer][expert];
      if (tokens < kFewTokens) report.quiet_experts.push_back({layer, expert, tokens});
    }
  }
}

std::string metadata_of(const gguf::Header& model, std::string_view key) {
  const gguf::Value* value = model.find(key);
  return value == nullptr ? "" : value->as_string().value_or("");
}

ImatrixReport report_of(const ImatrixOptions& options, const ImatrixRun& run) {
  ImatrixReport report;
  report.output = options.output;
  report.model = metadata_of(run.files.model, "general.name");
  report.architecture = metadata_of(run.files.model, "general.architecture");
  report.tokens = run.tokens.ids.size();
  report.chunk_size = run.tokens.sequence_length;
  report.chunks = report.tokens / report.chunk_size;
  report.tensors = run.layout->places().size();
  report.layers = run.network->layers();
  report.state_bytes = calibrate::WalkState::bytes(report.tokens, run.network->width());
  report.isa = name(options.isa);
  report.threads = thread_count(options.threads);
  return report;
}

void check_unchanged(const ModelFiles& files) {
  for (std::size_t i = 0; i < files.parts.size(); ++i) {
    if (files.parts[i].state() == files.states[i]) continue;
    throw Error(ErrorCode::input_changed, "was modified while it was read",
                {.file = files.parts[i].path(),
                 .cure = "Wait until whatever writes it is done, then run again with --restart"});
  }
}

ImatrixReport walk_and_sum(const ImatrixOptions& options, const ImatrixRun& run,
                           Observer& observer) {
  ImatrixReport report = report_of(options, run);
  const calibrate::ModelSource source = run.source();
  const calibrate::MatrixMap map(source);
  const calibrate::WalkMemory memory =
      calibrate::WalkMemory::least(*run.network, run.tokens, map, report.threads)
          .within(options.memory, engine::held_memory(options) + kBeside);
  engine::Input input(options, source.files, observer);
  calibrate::ModelWeights weights(source, input.source(),
                                  {.isa = options.isa,
                                   .threads = report.threads,
                                   .memory = memory.weights,
                                   .stop = options.stop});
  engine::TbbTeam threads(report.threads, options.stop);
  WatchedTeam team(threads);
  io::Sink sink(run.names.work_path, run.names.parts);
  const std::string state = run.state_file();
  if (options.restart) drop_earlier_run(sink, run);
  calibrate::Walk walk(*run.network, run.tokens, weights, team,
                       {.isa = options.isa,
                        .layer_memory = memory.layer,
                        .layers = run.network->layers() + (options.process_output ? 1 : 0),
                        .state = state,
                        .binding = binding_of(options, run),
                        .stop = options.stop});
  open_sums(sink, walk, run);
  SumProgress progress(run, weights, observer);
  report.resumed_layers = walk.done();
  progress.skip(walk.done());
  observer.note(walk.done() > 0
                    ? fmt::format("going on: {} of {} layers are done", walk.done(), report.layers)
                    : fmt::format("{} takes {} while this runs, and as much again now and then",
                                  visible(state),
                                  bytes_text(static_cast<double>(report.state_bytes))));
  calibrate::ImportanceSums sums(*run.layout, sink, team,
                                 [&](const model::Input& seen) { progress.finished(seen); });
  walk.run(sums);
  check_unchanged(run.files);
  report_experts(sink, *run.layout, report);
  commit_sums(sink, options.format, run);
  if (options.format == ImatrixFormat::dat && report.experts > 0) {
    observer.note(
        fmt::format("{} does not tell how many tokens each expert saw: its format has no "
                    "place for that",
                    visible(options.output)));
  }
  walk.end();
  report.read_bytes = weights.read_bytes();
  report.peak_anon_bytes = team.peak();
  report.io = input.mode();
  report.cached_bytes = input.cached_bytes();
  return report;
}

}  // namespace

ImatrixReport make_imatrix(const ImatrixOptions& options, Observer& observer) {
  const Stopwatch watch;
  const ImatrixRun run = prepare_run(options, observer);
  ImatrixReport report;
  Thread thread([&] { report = walk_and_sum(options, run, observer); });
  thread.join();
  report.wall_s = watch.seconds();
  return report;
}

}  // namespace sluice
