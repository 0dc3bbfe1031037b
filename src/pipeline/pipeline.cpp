#include "pipeline/pipeline.h"

#include <tbb/concurrent_queue.h>
#include <tbb/flow_graph.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

#include "base/process_memory.h"
#include "pipeline/clocks.h"
#include "pipeline/memory_plan.h"
#include "pipeline/slot_pool.h"

namespace sluice {
namespace {

namespace flow = tbb::flow;

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
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr error_;
  std::atomic<bool> raised_ = false;
};

/// reader thread -> [read node] -> [encode node, on workers] -> [write node] -> writer thread
///                                                             -> [finish node, serial]
class Run {
 public:
  Run(const Plan& plan, const ImportanceMatrix* imatrix, std::span<const io::File> parts,
      io::Source& source, io::Sink& sink, const PipelineOptions& options, Observer& observer)
      : plan_(plan),
        imatrix_(imatrix),
        parts_(parts),
        source_(source),
        sink_(sink),
        threads_(options.threads),
        kernels_{options.isa, options.effort},
        observer_(observer),
        memory_(plan_memory(plan, options.threads, options.measure_error, options.memory,
                            anonymous_bytes())),
        pool_(memory_.slots, memory_.slot_bytes),
        tensors_(plan.tensors.size()) {
    const std::size_t decoded = options.measure_error ? memory_.tile_elements : 0;
    for (int i = 0; i < threads_; ++i) {
      scratch_.push_back({.values = std::vector<float>(memory_.tile_elements),
                          .decoded = std::vector<float>(decoded),
                          .importance = std::vector<float>(memory_.importance_elements)});
    }
    for (Scratch& scratch : scratch_) free_scratch_.push(&scratch);
    report_.threads = threads_;
    report_.io = source.name();
    report_.isa = name(options.isa);
    report_.tensors.resize(plan.tensors.size());
    for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
      tensors_[i].bytes_left = plan.tensors[i].output_size;
    }
  }

  RunReport execute();

 private:
  using ReadNode = flow::async_node<flow::continue_msg, Slot*>;
  using WriteNode = flow::async_node<Slot*, Slot*>;

  struct TensorState {
    std::uint64_t bytes_left = 0;
    ErrorSums errors{};
  };

  void write_header();
  void read_all(ReadNode::gateway_type& gateway);
  Slot* encode(Slot* slot);
  void write_all(WriteNode::gateway_type& gateway);
  void finish(Slot* slot);
  void finish_tensor(std::uint32_t index);
  Progress progress() const;

  const Plan& plan_;
  const ImportanceMatrix* imatrix_;
  std::span<const io::File> parts_;
  io::Source& source_;
  io::Sink& sink_;
  const int threads_;
  const Kernels kernels_;
  Observer& observer_;

  const MemoryPlan memory_;
  SlotPool pool_;
  std::vector<Scratch> scratch_;
  tbb::concurrent_bounded_queue<Scratch*> free_scratch_;
  tbb::concurrent_bounded_queue<Slot*> to_write_;  // null: the end
  FirstError error_;

  Stopwatch wall_;
  BusyClock reading_;
  BusyClock writing_;
  std::atomic<std::int64_t> compute_ns_ = 0;

  // Of the finish node, which is serial.
  std::vector<TensorState> tensors_;
  std::size_t tensors_done_ = 0;
  std::uint64_t input_done_ = 0;
  std::uint64_t weights_done_ = 0;
  Stopwatch since_sample_;
  RunReport report_;
};

RunReport Run::execute() {
  // A thread count above the number of cores is the user's wish.
  const tbb::global_control parallelism(
      tbb::global_control::max_allowed_parallelism,
      std::max<std::size_t>(
          static_cast<std::size_t>(threads_),
          tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism)));
  report_.peak_anon_bytes = anonymous_bytes();
  write_header();
  std::thread reader;
  std::thread writer;
  // The arena has a place for each worker and no more; this thread takes one of them while it
  // waits.
  tbb::task_arena arena(threads_);
  arena.execute([&] {
    flow::graph graph;
    ReadNode read(graph, flow::unlimited, [&](flow::continue_msg, auto& gateway) {
      gateway.reserve_wait();
      reader = std::thread([&] { read_all(gateway); });
    });
    flow::function_node<Slot*, Slot*> encode_node(graph, static_cast<std::size_t>(threads_),
                                                  [&](Slot* slot) { return encode(slot); });
    WriteNode write(graph, flow::unlimited, [&](Slot* slot, auto& gateway) {
      gateway.reserve_wait();
      to_write_.push(slot);
    });
    flow::function_node<Slot*> finish_node(graph, flow::serial, [&](Slot* slot) { finish(slot); });
    flow::make_edge(read, encode_node);
    flow::make_edge(encode_node, write);
    flow::make_edge(write, finish_node);

    writer = std::thread([&] { write_all(write.gateway()); });
    read.try_put(flow::continue_msg());
    graph.wait_for_all();
    to_write_.push(nullptr);
    reader.join();
    writer.join();
  });
  error_.rethrow();

  report_.peak_anon_bytes = std::max(report_.peak_anon_bytes, anonymous_bytes());
  report_.wall_s = wall_.seconds();
  report_.read_bytes = plan_.input_size;
  report_.read_s = reading_.seconds();
  report_.write_bytes = plan_.output_size;
  report_.write_s = writing_.seconds();
  report_.compute_s = static_cast<double>(compute_ns_.load()) * 1e-9;
  report_.weights = weights_done_;
  return std::move(report_);
}

void Run::write_header() {
  const BusyClock::Guard busy(writing_);
  sink_.write_at(0, plan_.header);
}

// On the reader's thread.
void Run::read_all(ReadNode::gateway_type& gateway) {
  ChunkCursor cursor(plan_, memory_.chunk_bytes);
  while (const std::optional<Chunk> chunk = cursor.next()) {
    Slot* slot = pool_.acquire();
    if (error_.raised()) {
      pool_.release(slot);
      break;
    }
    slot->chunk = *chunk;
    slot->errors = {};
    const io::ReadRange range{.part = plan_.tensors[chunk->tensor].part,
                              .offset = chunk->input_offset,
                              .size = chunk->input_size};
    gateway.reserve_wait();
    reading_.begin();
    source_.read(
        range, slot->memory,
        [this, slot, &gateway](std::span<const std::byte> bytes, std::exception_ptr error) {
          reading_.end();
          slot->input = bytes;
          if (error) error_.set(std::move(error));
          gateway.try_put(slot);
          gateway.release_wait();
        });
  }
  gateway.release_wait();
}

// On a worker.
Slot* Run::encode(Slot* slot) {
  if (error_.raised()) return slot;
  const Stopwatch watch;
  const PlannedTensor& tensor = plan_.tensors[slot->chunk.tensor];
  Scratch* scratch = nullptr;
  free_scratch_.pop(scratch);  // never waits: there is one for each worker
  try {
    const std::span<std::byte> output =
        slot->memory.last(tensor.copied() ? 0 : slot->chunk.output_size);
    encode_chunk(tensor, slot->chunk, kernels_, imatrix_, parts_[tensor.part].path(), slot->input,
                 output, *scratch, slot->errors);
    slot->output = tensor.copied() ? slot->input : std::span<const std::byte>(output);
  } catch (...) {
    error_.set(std::current_exception());
  }
  free_scratch_.push(scratch);
  compute_ns_ += watch.nanoseconds();
  return slot;
}

// On the writer's thread.
void Run::write_all(WriteNode::gateway_type& gateway) {
  Slot* slot = nullptr;
  for (to_write_.pop(slot); slot != nullptr; to_write_.pop(slot)) {
    if (!error_.raised()) {
      try {
        const BusyClock::Guard busy(writing_);
        sink_.write_at(slot->chunk.output_offset, slot->output);
      } catch (...) {
        error_.set(std::current_exception());
      }
    }
    source_.release({.part = plan_.tensors[slot->chunk.tensor].part,
                     .offset = slot->chunk.input_offset,
                     .size = slot->chunk.input_size});
    gateway.try_put(slot);
    gateway.release_wait();
  }
}

// One at a time.
void Run::finish(Slot* slot) {
  const Chunk chunk = slot->chunk;
  const ErrorSums errors = slot->errors;
  pool_.release(slot);
  if (error_.raised()) return;

  constexpr double kSampleSeconds = 0.02;  // reading /proc takes some 20 us
  if (since_sample_.seconds() > kSampleSeconds) {
    report_.peak_anon_bytes = std::max(report_.peak_anon_bytes, anonymous_bytes());
    since_sample_ = Stopwatch();
  }
  try {
    input_done_ += chunk.input_size;
    weights_done_ += chunk.elements;
    TensorState& tensor = tensors_[chunk.tensor];
    tensor.errors += errors;
    tensor.bytes_left -= chunk.output_size;
    if (tensor.bytes_left == 0) finish_tensor(chunk.tensor);
    observer_.progress(progress());
  } catch (...) {
    error_.set(std::current_exception());
  }
}

void Run::finish_tensor(std::uint32_t index) {
  const PlannedTensor& tensor = plan_.tensors[index];
  const ErrorSums& errors = tensors_[index].errors;
  const auto ratio = [&](double error, double norm) {
    if (tensor.copied()) return 0.0;
    if (scratch_.front().decoded.empty()) return std::numeric_limits<double>::quiet_NaN();
    return norm > 0 ? error / norm : 0.0;
  };
  report_.tensors[index] = {.name = tensor.name,
                            .source = tensor.source,
                            .type = tensor.type,
                            .shape = tensor.shape,
                            .source_bytes = tensor.input_size,
                            .bytes = tensor.output_size,
                            .weighted_error = ratio(errors.weighted_error, errors.weighted_norm),
                            .plain_error = ratio(errors.plain_error, errors.plain_norm)};
  observer_.tensor_done(report_.tensors[index], tensors_done_++, plan_.tensors.size());
}

Progress Run::progress() const {
  return {.input_bytes_done = input_done_,
          .input_bytes = plan_.input_size,
          .weights_done = weights_done_,
          .elapsed_s = wall_.seconds(),
          .read_s = reading_.seconds(),
          .write_s = writing_.seconds(),
          .compute_s = static_cast<double>(compute_ns_.load()) * 1e-9,
          .threads = threads_};
}

}  // namespace

RunReport run_pipeline(const Plan& plan, const ImportanceMatrix* imatrix,
                       std::span<const io::File> parts, io::Source& source, io::Sink& sink,
                       const PipelineOptions& options, Observer& observer) {
  return Run(plan, imatrix, parts, source, sink, options, observer).execute();
}

}  // namespace sluice
