#include "pipeline/pipeline.h"

#include <tbb/concurrent_queue.h>
#include <tbb/flow_graph.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/interval_set.h"
#include "base/process_memory.h"
#include "base/stop.h"
#include "pipeline/balance.h"
#include "pipeline/clocks.h"
#include "pipeline/memory_plan.h"
#include "pipeline/output_writer.h"
#include "pipeline/slot_pool.h"
#include "pipeline/trace.h"
#include "pipeline/turns.h"
#include "sluice/error.h"

namespace sluice {
namespace {

namespace flow = tbb::flow;

// Four reads of 4 MiB keep a fast disk's queue full, as each becomes several requests, and take
// 160 ms on a disk of 100 MB/s: so long, at most, do writes or the end of a stopped run wait for
// them.
constexpr int kReadsInFlight = 4;

// Shorter waits are not worth a line in the trace.
constexpr std::int64_t kStall = 100'000;  // ns

/// The first error of any stage. Once it is there, chunks pass through the remaining stages
/// untouched, so that every slot comes home and the graph runs dry by itself.
class FirstError {
 public:
  void set(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    raised_ = true;
  }
  bool raised() const { return raised_; }
  /// Whether writing failed: then it is not tried again.
  bool of_output() {
    const std::lock_guard lock(mutex_);
    try {
      rethrow();
    } catch (const Error& error) {
      return error.code() == ErrorCode::output_write ||
             error.code() == ErrorCode::output_no_space || error.code() == ErrorCode::output_open;
    } catch (...) {
    }
    return false;
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr error_;
  std::atomic<bool> raised_ = false;
};

/// reader thread -> [read node] -> [encode node, on workers] -> [write node] -> writer thread
class Run {
 public:
  Run(const Plan& plan, const ImportanceMatrix* imatrix, std::span<const io::File> parts,
      io::Source& source, io::Sink& sink, journal::Journal& journal,
      std::span<const journal::Record> done, const PipelineOptions& options, Observer& observer);

  RunReport execute();

 private:
  using ReadNode = flow::async_node<flow::continue_msg, Slot*>;
  using WriteNode = flow::async_node<Slot*, flow::continue_msg>;

  struct TensorState {
    std::uint64_t bytes_left = 0;  ///< of output that this run makes
    bool whole = true;             ///< none of it was made by an earlier run
    ErrorSums errors{};
  };

  void skip_done(std::span<const journal::Record> done);
  Interval place_of(const Chunk& chunk) const;
  std::uint64_t padding_after(const Chunk& chunk) const;

  void read_all(ReadNode::gateway_type& gateway);
  void read(const Chunk& chunk, ReadNode::gateway_type& gateway);
  Slot* acquire_slot();
  Slot* encode(Slot* slot);
  void write_all(WriteNode::gateway_type& gateway);
  void take_over(Slot& slot);
  void describe_tensor(std::uint32_t index);
  void finish_tensor(std::uint32_t index);
  void sample();
  Progress progress();

  const Plan& plan_;
  const ImportanceMatrix* imatrix_;
  std::span<const io::File> parts_;
  io::Source& source_;
  const PipelineOptions options_;
  const int threads_;
  const Kernels kernels_;
  Observer& observer_;

  const MemoryPlan memory_;
  SlotPool pool_;
  std::vector<Scratch> scratch_;
  tbb::concurrent_bounded_queue<Scratch*> free_scratch_;
  tbb::concurrent_bounded_queue<Slot*> to_write_;  // null: the end
  FirstError error_;

  std::unique_ptr<Trace> trace_;
  Turns turns_;
  Balance balance_;
  Stopwatch wall_;
  BusyClock reading_;
  std::atomic<std::int64_t> compute_ns_ = 0;
  std::atomic<std::uint64_t> read_bytes_ = 0;
  std::atomic<std::int64_t> first_read_ns_ = 0;

  // Of the writer's thread.
  OutputWriter writer_;
  IntervalSet done_;  // by an earlier run
  std::uint64_t skipped_input_ = 0;
  std::vector<TensorState> tensors_;
  std::size_t tensors_done_ = 0;
  std::uint64_t input_done_ = 0;
  std::uint64_t weights_done_ = 0;
  Stopwatch since_memory_sample_;
  double sample_every_s_ = 0.1;
  RunReport report_;
};

Run::Run(const Plan& plan, const ImportanceMatrix* imatrix, std::span<const io::File> parts,
         io::Source& source, io::Sink& sink, journal::Journal& journal,
         std::span<const journal::Record> done, const PipelineOptions& options, Observer& observer)
    : plan_(plan),
      imatrix_(imatrix),
      parts_(parts),
      source_(source),
      options_(options),
      threads_(options.threads),
      kernels_{options.isa, options.effort, options.verify, options.stop},
      observer_(observer),
      memory_(plan_memory(plan, options.threads, options.measure_error, options.memory,
                          anonymous_bytes())),
      pool_(memory_.slots, memory_.slot_bytes),
      trace_(options.trace.empty() ? nullptr : std::make_unique<Trace>(options.trace)),
      turns_(options.shared_spindle, kReadsInFlight),
      balance_(options.threads),
      writer_(plan, done, {sink, journal, turns_, balance_, trace_.get()},
              {.extents = memory_.extents, .checkpoint_s = options.checkpoint_s}),
      tensors_(plan.tensors.size()) {
  const std::size_t decoded = options.measure_error ? memory_.tile_elements : 0;
  for (int i = 0; i < threads_; ++i) {
    scratch_.push_back({.values = std::vector<float>(memory_.tile_elements),
                        .decoded = std::vector<float>(decoded),
                        .importance = std::vector<float>(memory_.importance_elements),
                        .worker = i});
  }
  for (Scratch& scratch : scratch_) free_scratch_.push(&scratch);
  report_.threads = threads_;
  report_.io = source.name();
  report_.isa = name(options.isa);
  report_.shared_spindle = options.shared_spindle;
  report_.tensors.resize(plan.tensors.size());
  skip_done(done);
}

RunReport Run::execute() {
  // A thread count above the number of cores is the user's wish.
  const tbb::global_control parallelism(
      tbb::global_control::max_allowed_parallelism,
      std::max<std::size_t>(
          static_cast<std::size_t>(threads_),
          tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism)));
  report_.peak_anon_bytes = anonymous_bytes();
  std::thread reader;
  std::thread writer;
  // The arena has a place for each worker and no more; this thread takes one of them while it
  // waits.
  tbb::task_arena arena(threads_);
  arena.execute([&] {
    flow::graph graph;
    ReadNode read_node(graph, flow::unlimited, [&](flow::continue_msg, auto& gateway) {
      gateway.reserve_wait();
      reader = std::thread([&] { read_all(gateway); });
    });
    flow::function_node<Slot*, Slot*> encode_node(graph, static_cast<std::size_t>(threads_),
                                                  [&](Slot* slot) { return encode(slot); });
    WriteNode write_node(graph, flow::unlimited, [&](Slot* slot, auto& gateway) {
      gateway.reserve_wait();
      to_write_.push(slot);
    });
    flow::make_edge(read_node, encode_node);
    flow::make_edge(encode_node, write_node);

    writer = std::thread([&] { write_all(write_node.gateway()); });
    read_node.try_put(flow::continue_msg());
    graph.wait_for_all();
    to_write_.push(nullptr);
    reader.join();
    writer.join();
  });
  error_.rethrow();

  report_.peak_anon_bytes = std::max(report_.peak_anon_bytes, anonymous_bytes());
  report_.wall_s = wall_.seconds();
  report_.read_bytes = read_bytes_;
  report_.read_s = reading_.seconds();
  for (std::size_t i = 0; i < report_.tensors.size(); ++i) {
    report_.tensors[i].crc32 = writer_.crc32(i);
  }
  report_.write_bytes = writer_.written_bytes();
  report_.write_s = writer_.write_seconds();
  report_.compute_s = static_cast<double>(compute_ns_.load()) * 1e-9;
  report_.weights = weights_done_;
  const Balance::Shares shares = balance_.shares();
  report_.wait_disk_s = shares.disk_s;
  report_.wait_cores_s = shares.cores_s;
  report_.wait_budget_s = shares.budget_s;
  const double working = report_.wall_s - static_cast<double>(first_read_ns_.load()) * 1e-9;
  report_.workers_busy = working > 0 ? report_.compute_s / (working * threads_) : 0;
  return std::move(report_);
}

// What an earlier run made is not made again.
void Run::skip_done(std::span<const journal::Record> done) {
  done_ = journal::ranges_of(done);
  for (std::size_t i = 0; i < plan_.tensors.size(); ++i) {
    const PlannedTensor& tensor = plan_.tensors[i];
    const std::uint64_t there =
        done_.overlap({tensor.output_offset, tensor.output_offset + tensor.output_size});
    tensors_[i].bytes_left = tensor.output_size - there;
    tensors_[i].whole = there == 0;
    if (tensors_[i].bytes_left == 0) ++tensors_done_;
  }
  if (done_.empty()) return;
  ChunkCursor cursor(plan_, memory_.chunk_bytes);
  while (const std::optional<Chunk> chunk = cursor.next()) {
    if (done_.contains(place_of(*chunk))) skipped_input_ += chunk->input_size;
  }
  input_done_ = skipped_input_;
  report_.resumed_bytes = done_.size();
  for (std::size_t i = 0; i < plan_.tensors.size(); ++i) {
    if (tensors_[i].bytes_left == 0) describe_tensor(static_cast<std::uint32_t>(i));
  }
}

// Zeros after the last of a tensor belong to it.
std::uint64_t Run::padding_after(const Chunk& chunk) const {
  const PlannedTensor& tensor = plan_.tensors[chunk.tensor];
  const std::uint64_t end = tensor.output_offset + tensor.output_size;
  return chunk.output_offset + chunk.output_size < end ? 0 : tensor.output_padding;
}

Interval Run::place_of(const Chunk& chunk) const {
  return {chunk.output_offset, chunk.output_offset + chunk.output_size + padding_after(chunk)};
}

// On the reader's thread.
void Run::read_all(ReadNode::gateway_type& gateway) {
  ChunkCursor cursor(plan_, memory_.chunk_bytes);
  first_read_ns_ = wall_.nanoseconds();
  while (const std::optional<Chunk> chunk = cursor.next()) {
    try {
      throw_if_stopped(options_.stop);
    } catch (...) {
      error_.set(std::current_exception());
    }
    if (error_.raised()) break;
    if (!done_.contains(place_of(*chunk))) read(*chunk, gateway);
  }
  gateway.release_wait();
}

void Run::read(const Chunk& chunk, ReadNode::gateway_type& gateway) {
  Slot* slot = acquire_slot();
  slot->chunk = chunk;
  slot->errors = {};
  const std::int64_t asked = trace_ ? trace_->now() : 0;
  turns_.begin_read();
  const std::int64_t begun = trace_ ? trace_->now() : 0;
  if (begun - asked > kStall) trace_->span(Trace::reader, "wait for the disk", asked, begun);
  gateway.reserve_wait();
  reading_.begin();
  balance_.disk(+1);
  const io::ReadRange range{.part = plan_.tensors[chunk.tensor].part,
                            .offset = chunk.input_offset,
                            .size = chunk.input_size};
  source_.read(
      range, slot->memory,
      [this, slot, begun, &gateway](std::span<const std::byte> bytes, std::exception_ptr error) {
        balance_.disk(-1);
        reading_.end();
        turns_.end_read();
        slot->input = bytes;
        if (error) error_.set(std::move(error));
        read_bytes_ += slot->chunk.input_size;
        if (trace_) {
          trace_->read(slot->chunk.output_offset, begun, trace_->now(),
                       plan_.tensors[slot->chunk.tensor].name, slot->chunk.input_size);
        }
        gateway.try_put(slot);
        gateway.release_wait();
      });
}

Slot* Run::acquire_slot() {
  if (Slot* slot = pool_.try_acquire()) return slot;
  const std::int64_t asked = trace_ ? trace_->now() : 0;
  balance_.waiting_for_budget(+1);
  Slot* slot = pool_.acquire();
  balance_.waiting_for_budget(-1);
  if (trace_) trace_->span(Trace::reader, "wait for a grant", asked, trace_->now());
  return slot;
}

// On a worker.
Slot* Run::encode(Slot* slot) {
  if (error_.raised()) return slot;
  const Stopwatch watch;
  balance_.worker(+1);
  const PlannedTensor& tensor = plan_.tensors[slot->chunk.tensor];
  Scratch* scratch = nullptr;
  free_scratch_.pop(scratch);  // never waits: there is one for each worker
  const std::int64_t begun = trace_ ? trace_->now() : 0;
  try {
    const std::span<std::byte> output =
        slot->memory.last(tensor.copied() ? 0 : slot->chunk.output_size);
    scratch->decode_ns = 0;
    encode_chunk(tensor, slot->chunk, kernels_, imatrix_, parts_[tensor.part].path(), slot->input,
                 output, *scratch, slot->errors);
    source_.check(
        {.part = tensor.part, .offset = slot->chunk.input_offset, .size = slot->chunk.input_size});
    if (options_.imatrix_file != nullptr) options_.imatrix_file->check();
    slot->output = tensor.copied() ? slot->input : std::span<const std::byte>(output);
  } catch (...) {
    error_.set(std::current_exception());
  }
  if (trace_) {
    // Decoding and encoding alternate, tile by tile; the picture shows the sums.
    const int track = Trace::worker + scratch->worker;
    const std::int64_t end = trace_->now();
    trace_->span(track, "chunk", begun, end, tensor.name,
                 {{"weights", static_cast<double>(slot->chunk.elements)}});
    trace_->span(track, "decode", begun, begun + scratch->decode_ns);
    trace_->span(track, "encode", begun + scratch->decode_ns, end);
  }
  free_scratch_.push(scratch);
  balance_.worker(-1);
  compute_ns_ += watch.nanoseconds();
  return slot;
}

// On the writer's thread.
void Run::write_all(WriteNode::gateway_type& gateway) {
  const auto guarded = [&](auto&& step) {
    if (error_.raised()) return;
    try {
      step();
    } catch (...) {
      error_.set(std::current_exception());
    }
  };
  for (const OutputPart& part : plan_.parts) {
    if (done_.contains({part.begin, part.begin + part.header.size()})) continue;
    guarded([&] { writer_.put(part.begin, part.header); });
  }
  Slot* slot = nullptr;
  for (to_write_.pop(slot); slot != nullptr; to_write_.pop(slot)) {
    guarded([&] { take_over(*slot); });
    source_.release({.part = plan_.tensors[slot->chunk.tensor].part,
                     .offset = slot->chunk.input_offset,
                     .size = slot->chunk.input_size});
    pool_.release(slot);
    gateway.release_wait();
    guarded([&] {
      sample();
      writer_.checkpoint_if_due();
    });
  }
  guarded([&] { writer_.finish(); });
  if (error_.raised() && !error_.of_output()) writer_.save();
}

void Run::take_over(Slot& slot) {
  const Chunk& chunk = slot.chunk;
  writer_.put(chunk.output_offset, slot.output);
  static constexpr std::array<std::byte, 4096> kZeros{};
  std::uint64_t padding = padding_after(chunk);
  for (std::uint64_t at = chunk.output_offset + chunk.output_size; padding > 0;) {
    const std::size_t size = std::min<std::uint64_t>(padding, kZeros.size());
    writer_.put(at, std::span(kZeros).first(size));
    at += size;
    padding -= size;
  }
  input_done_ += chunk.input_size;
  weights_done_ += chunk.elements;
  TensorState& tensor = tensors_[chunk.tensor];
  tensor.errors += slot.errors;
  const Interval place{chunk.output_offset, chunk.output_offset + chunk.output_size};
  tensor.bytes_left -= place.size() - done_.overlap(place);
  if (tensor.bytes_left == 0) finish_tensor(chunk.tensor);
  observer_.progress(progress());
}

void Run::describe_tensor(std::uint32_t index) {
  const PlannedTensor& tensor = plan_.tensors[index];
  const TensorState& state = tensors_[index];
  const auto ratio = [&](double error, double norm) {
    if (tensor.copied()) return 0.0;
    if (!options_.measure_error || !state.whole) return std::numeric_limits<double>::quiet_NaN();
    return norm > 0 ? error / norm : 0.0;
  };
  report_.tensors[index] = {
      .name = tensor.name,
      .source = tensor.source,
      .type = tensor.type,
      .shape = tensor.shape,
      .source_bytes = tensor.input_size,
      .bytes = tensor.output_size,
      .weighted_error = ratio(state.errors.weighted_error, state.errors.weighted_norm),
      .plain_error = ratio(state.errors.plain_error, state.errors.plain_norm)};
}

void Run::finish_tensor(std::uint32_t index) {
  describe_tensor(index);
  observer_.tensor_done(report_.tensors[index], tensors_done_++, plan_.tensors.size());
}

// A row of the throughput's history now and then, at most a thousand: when there are more, every
// second one goes, and they are taken half as often.
void Run::sample() {
  constexpr double kMemorySampleSeconds = 0.02;  // reading /proc takes some 20 us
  constexpr std::size_t kMostSamples = 1024;
  if (since_memory_sample_.seconds() > kMemorySampleSeconds) {
    const std::uint64_t anonymous = anonymous_bytes();
    report_.peak_anon_bytes = std::max(report_.peak_anon_bytes, anonymous);
    since_memory_sample_ = Stopwatch();
    if (trace_) {
      trace_->counter("anonymous memory, MiB", static_cast<double>(anonymous) / (1 << 20));
      trace_->counter("reads under way", turns_.reads());
      trace_->counter("chunks to write",
                      static_cast<double>(std::max<std::ptrdiff_t>(0, to_write_.size())));
    }
  }
  const double now = wall_.seconds();
  if (!report_.samples.empty() && now - report_.samples.back().time_s < sample_every_s_) return;
  report_.samples.push_back({.time_s = now,
                             .read_bytes = read_bytes_,
                             .written_bytes = writer_.written_bytes(),
                             .weights = weights_done_,
                             .limit = balance_.limit()});
  if (report_.samples.size() < kMostSamples) return;
  std::vector<Sample> kept;
  for (std::size_t i = 1; i < report_.samples.size(); i += 2) kept.push_back(report_.samples[i]);
  report_.samples = std::move(kept);
  sample_every_s_ *= 2;
}

Progress Run::progress() {
  const Balance::Shares shares = balance_.shares();
  return {.input_bytes_done = input_done_,
          .input_bytes = plan_.input_size,
          .input_bytes_skipped = skipped_input_,
          .weights_done = weights_done_,
          .elapsed_s = wall_.seconds(),
          .wait_disk_s = shares.disk_s,
          .wait_cores_s = shares.cores_s,
          .wait_budget_s = shares.budget_s};
}

}  // namespace

RunReport run_pipeline(const Plan& plan, const ImportanceMatrix* imatrix,
                       std::span<const io::File> parts, io::Source& source, io::Sink& sink,
                       journal::Journal& journal, std::span<const journal::Record> done,
                       const PipelineOptions& options, Observer& observer) {
  return Run(plan, imatrix, parts, source, sink, journal, done, options, observer).execute();
}

}  // namespace sluice
