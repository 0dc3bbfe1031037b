#include "sluice/imatrix.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>
#include <system_error>

#include "api/calibration_tokens.h"
#include "api/model_files.h"
#include "api/output_names.h"
#include "base/clocks.h"
#include "base/process_memory.h"
#include "base/text.h"
#include "base/thread.h"
#include "base/threads.h"
#include "calibrate/importance_sums.h"
#include "calibrate/model_weights.h"
#include "calibrate/walk.h"
#include "engine/input.h"
#include "engine/memory_plan.h"
#include "engine/team.h"
#include "imatrix/layout.h"
#include "io/output_check.h"
#include "io/sink.h"
#include "journal/binding.h"
#include "model/network.h"
#include "sluice/amounts.h"
#include "sluice/error.h"
#include "sluice/urls.h"
#include "sluice/version.h"

namespace sluice {
namespace {

// With so many tokens a mean of squares is off by a seventh of itself (sqrt(2 / 100)), were the
// values normal.
constexpr std::uint64_t kFewTokens = 100;

// Besides what is shared out: the sums of a layer, stacks, allocator slack.
constexpr std::uint64_t kBeside = std::uint64_t{24} << 20;

/// What is decided before the first weight is read.
struct ImatrixRun {
  ModelFiles files;
  std::optional<model::Network> network;
  model::Tokens tokens;
  std::optional<imatrix::Layout> layout;
  OutputNames names;

  calibrate::ModelSource source() const {
    return {files.model, files.weights, io::pointers_to(files.parts)};
  }
  std::string state_file() const { return names.work_path + ".state"; }
};

bool is_expert(std::string_view tensor) {
  return tensor.find("_exps.") != tensor.npos;
}

/// Matrices of layers, and the output matrix if it is asked for: llama.cpp counts the same.
imatrix::Layout layout_of(const ImatrixOptions& options, const ImatrixRun& run) {
  const calibrate::MatrixMap map(run.source());
  std::vector<imatrix::Summed> tensors;
  const auto add = [&](const std::string& name) {
    const auto index = map.find(name);
    if (!index || (!name.starts_with("blk.") && name != "output.weight")) return;
    tensors.push_back({.name = name,
                       .columns = map.columns(*index),
                       .matrices = map.matrices(*index),
                       .counts_each = is_expert(name)});
  };
  const std::uint64_t layers = run.network->layers() + (options.process_output ? 1 : 0);
  for (std::uint64_t layer = 0; layer < layers; ++layer) {
    for (const auto& together : run.network->inputs_of(layer)) {
      for (const model::Input& input : together) std::ranges::for_each(input.tensors, add);
    }
  }
  imatrix::SumsOrigin origin{.datasets = options.calibration.texts,
                             .chunks = run.tokens.ids.size() / run.tokens.sequence_length,
                             .chunk_size = run.tokens.sequence_length};
  if (origin.datasets.empty()) origin.datasets = {options.calibration.tokens};
  for (std::string& dataset : origin.datasets) dataset = masked(dataset);
  return {std::move(tensors), origin};
}

void refuse_wrong_use(const ImatrixOptions& options) {
  const CalibrationOptions& calibration = options.calibration;
  if (options.output.empty()) {
    throw Error(ErrorCode::output_open, "no output is named", {.cure = "Name the file to make"});
  }
  if (is_url(options.output)) {
    throw Error(ErrorCode::output_open, "cannot be written over the network",
                {.file = masked(options.output), .cure = "Name a file on a disk"});
  }
  if (!calibration.given()) {
    throw Error(ErrorCode::usage, "no text is given",
                {.cure = "Name a file of text, or of token ids with --calibrate-tokens"});
  }
  if (!calibration.texts.empty() && !calibration.tokens.empty()) {
    throw Error(ErrorCode::usage, "a text excludes --calibrate-tokens",
                {.cure = "Pass one of them"});
  }
}

OutputNames check_names(const ImatrixOptions& options, const ImatrixRun& run) {
  QuantizeOptions named;
  named.output = options.output;
  OutputPart part;
  part.size = run.layout->size();
  OutputNames names = names_of(named, {&part, 1});
  std::vector<UsedFile> others = {{names.work_path + ".state", "the state of a run", true},
                                  {options.calibration.tokens, "the tokens"}};
  for (const std::string& text : options.calibration.texts) others.push_back({text, "the text"});
  for (const io::File& file : run.files.parts) others.push_back({file.path(), "the input"});
  for (const SmallFile& small : run.files.small_files) {
    others.push_back({small.file.path(), "the input"});
  }
  io::check_output(options.output, names.work_path, names.parts, std::move(others));
  return names;
}

ImatrixRun prepare_run(const ImatrixOptions& options, Observer& observer) {
  refuse_wrong_use(options);
  ImatrixRun run;
  run.files = open_model(options.input, options.stop, options.pre);
  for (const std::string& note : run.files.notes) observer.note(note);
  const std::string& file = run.files.parts.front().path();
  run.network = model::Network::of(run.files.model, file);
  run.tokens = calibration_tokens(options.calibration, run.files.model, file,
                                  run.network->vocabulary(), options.stop);
  run.layout = layout_of(options, run);
  run.names = check_names(options, run);
  return run;
}

// Of all that the sums depend on. Not of times and names: samples tell a copy from another file.
std::uint64_t binding_of(const ImatrixOptions& options, const ImatrixRun& run) {
  constexpr std::size_t kSamples = 64;
  std::string text = fmt::format("{} {} {} {:x}", version(), options.process_output,
                                 run.network->layers(), hash_of(run.tokens));
  const std::size_t samples = std::max<std::size_t>(2, kSamples / run.files.parts.size());
  for (std::size_t i = 0; i < run.files.parts.size(); ++i) {
    const journal::Binding::Input input =
        journal::input_of(run.files.parts[i], run.files.header_hashes[i], samples);
    text += fmt::format(" {} {:x} {:x} {}", input.size, input.header_hash, input.sample_hash,
                        input.etag);
  }
  for (const SmallFile& small : run.files.small_files) text += fmt::format(" {:x}", small.hash);
  const std::span<const std::byte> header = run.layout->header();
  return XXH3_64bits_withSeed(text.data(), text.size(), XXH3_64bits(header.data(), header.size()));
}

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
    peak_ = std::max(peak_, anonymous_bytes());
    observer_.progress(progress_);
  }

  std::uint64_t peak() const { return peak_; }

 private:
  calibrate::ModelWeights& weights_;
  const calibrate::MatrixMap& map_;
  Observer& observer_;
  Stopwatch watch_;
  std::vector<std::uint64_t> layer_bytes_;
  Progress progress_;
  std::uint64_t peak_ = anonymous_bytes();

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

// Begins the output, or goes on with what an earlier run of the same state has made of it.
void open_output(io::Sink& sink, calibrate::Walk& walk, const ImatrixRun& run) {
  if (walk.found() && sink.found() && sink.first_unfit().empty()) {
    sink.resume();
  } else {
    std::error_code ignored;
    if (walk.done() > 0) {
      throw Error(ErrorCode::resume_refused, "has no longer what an earlier run wrote",
                  {.file = sink.work_path(), .cure = "Begin anew with --restart"});
    }
    if (!walk.found() && sink.found() &&
        std::filesystem::file_size(sink.work_path(), ignored) > 0) {
      throw Error(ErrorCode::output_open,
                  "would be overwritten, and is no working file of sluice's: no state of a run is "
                  "beside it",
                  {.file = sink.work_path(), .cure = "Name another output, or remove it"});
    }
    walk.begin();
    sink.start();
    const std::span<const std::byte> header = run.layout->header();
    sink.write_at(0, {&header, 1});
  }
  sink.keep();
}

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
  engine::TbbTeam team(report.threads, options.stop);
  io::Sink sink(run.names.work_path, run.names.parts);
  const std::string state = run.state_file();
  if (options.restart) std::filesystem::remove(state);
  calibrate::Walk walk(*run.network, run.tokens, weights, team,
                       {.isa = options.isa,
                        .layer_memory = memory.layer,
                        .output = options.process_output,
                        .state = state,
                        .binding = binding_of(options, run),
                        .stop = options.stop});
  open_output(sink, walk, run);
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
  sink.commit();
  walk.end();
  report.read_bytes = weights.read_bytes();
  report.peak_anon_bytes = progress.peak();
  report.io = input.mode();
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
