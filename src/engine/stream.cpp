#include "engine/stream.h"

#include <tbb/concurrent_queue.h>
#include <tbb/flow_graph.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

#include "base/stop.h"
#include "base/thread.h"
#include "engine/slots.h"
#include "engine/worker_limit.h"

namespace sluice::engine {
namespace {

namespace flow = tbb::flow;

/// The first error of any stage. Once it is there, units pass through the remaining stages
/// untouched, so that every slot comes home and the graph runs dry by itself.
class FirstError {
 public:
  void set(std::exception_ptr error) {
    {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::move(error);
    }
    ended_.request_stop();
  }
  bool raised() const { return ended_.stop_requested(); }
  std::stop_token token() const { return ended_.get_token(); }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

  /// Does a step, unless there is an error, and keeps its own.
  template <class Step>
  bool guard(Step&& step) {
    if (raised()) return false;
    try {
      step();
      return true;
    } catch (...) {
      set(std::current_exception());
      return false;
    }
  }

 private:
  std::mutex mutex_;
  std::exception_ptr error_;
  std::stop_source ended_;
};

/// reader thread -> [read node] -> [work node, on workers] -> [finish node] -> writer thread
class Stream {
 public:
  Stream(const Work& work, io::Source& source, const MemoryPlan& memory,
         const StreamSettings& settings, Turns& turns, Monitor& monitor)
      : work_(work),
        source_(source),
        settings_(settings),
        turns_(turns),
        monitor_(monitor),
        pool_(memory, !source.has_own_bytes()) {
    for (int i = 0; i < settings.threads; ++i) idle_workers_.push(i);
  }

  /// On a thread of its own, which is one of the workers: the caller's stack may be small.
  void run() {
    Thread([this] { conduct(); }).join();
  }

 private:
  using ReadNode = flow::async_node<flow::continue_msg, Slot*>;
  using FinishNode = flow::async_node<Slot*, flow::continue_msg>;

  void conduct();
  void read_all(ReadNode::gateway_type& gateway);
  void read(Slot* slot, ReadNode::gateway_type& gateway);
  Slot* operate(Slot* slot);
  void work_on(Task& task, int worker);
  void release_inputs(Task& task);
  void finish_all(FinishNode::gateway_type& gateway);

  const Work& work_;
  io::Source& source_;
  const StreamSettings settings_;
  Turns& turns_;
  Monitor& monitor_;
  SlotPool pool_;
  tbb::concurrent_bounded_queue<int> idle_workers_;
  tbb::concurrent_bounded_queue<Slot*> to_finish_;  // null: the end
  FirstError error_;
};

void Stream::conduct() {
  const WorkerLimit limit(settings_.threads);
  Thread reader;
  Thread writer;
  // The arena has a place for each worker and no more; this thread takes one of them while it
  // waits.
  tbb::task_arena arena(settings_.threads);
  arena.execute([&] {
    flow::graph graph;
    ReadNode read_node(graph, flow::unlimited, [&](flow::continue_msg, auto& gateway) {
      gateway.reserve_wait();
      const auto start = [&] { reader = Thread([&] { read_all(gateway); }); };
      if (!error_.guard(start)) gateway.release_wait();
    });
    flow::function_node<Slot*, Slot*> work_node(graph, static_cast<std::size_t>(settings_.threads),
                                                [&](Slot* slot) { return operate(slot); });
    FinishNode finish_node(graph, flow::unlimited, [&](Slot* slot, auto& gateway) {
      gateway.reserve_wait();
      to_finish_.push(slot);
    });
    flow::make_edge(read_node, work_node);
    flow::make_edge(work_node, finish_node);

    writer = Thread([&] { finish_all(finish_node.gateway()); });
    read_node.try_put(flow::continue_msg());
    graph.wait_for_all();
    to_finish_.push(nullptr);
    reader.join();
    writer.join();
  });
  error_.rethrow();
  monitor_.end();
}

// On the reader's thread.
void Stream::read_all(ReadNode::gateway_type& gateway) {
  monitor_.begin_reading();
  std::optional<Unit> unit;
  const auto next = [&] {
    throw_if_stopped(settings_.stop);
    unit = work_.units.next(error_.token());
  };
  while (error_.guard(next) && unit) {
    Slot* slot = pool_.acquire(monitor_);
    slot->assign(*std::exchange(
        unit, std::nullopt));  // NOLINT(bugprone-use-after-move): next() sets it anew
    gateway.reserve_wait();
    read(slot, gateway);
  }
  gateway.release_wait();
}

void Stream::read(Slot* slot, ReadNode::gateway_type& gateway) {
  const auto pass_on = [slot, &gateway] {
    gateway.try_put(slot);
    gateway.release_wait();
  };
  const Unit& unit = slot->task.unit;
  if (unit.inputs.empty()) return pass_on();
  // When the last read has been started, the unit may be gone.
  for (std::size_t i = 0, count = unit.inputs.size(); i < count; ++i) {
    const io::ReadRange range = unit.inputs[i];
    const std::span<std::byte> place = slot->places[i];
    const Stopwatch turn = [&] {
      const Monitor::Scope waiting = monitor_.waiting_for_disk();
      return turns_.begin_read();
    }();
    const Monitor::Read begun = monitor_.begin_read();
    source_.read(range, place,
                 [this, slot, i, turn, begun, pass_on](std::span<const std::byte> bytes,
                                                       std::exception_ptr error) {
                   Task& task = slot->task;
                   monitor_.end_read(begun, task.unit.name, task.unit.inputs[i].size);
                   turns_.end_read(turn);
                   task.inputs[i] = bytes;
                   if (error) error_.set(std::move(error));
                   if (--slot->reads_left == 0) pass_on();
                 });
  }
}

// On a worker.
Slot* Stream::operate(Slot* slot) {
  if (error_.raised()) return slot;
  int worker = 0;
  idle_workers_.pop(worker);  // never waits: there is one for each that runs
  {
    const Monitor::Scope working = monitor_.working(worker, slot->task);
    error_.guard([&] { work_on(slot->task, worker); });
  }
  idle_workers_.push(worker);
  return slot;
}

void Stream::work_on(Task& task, int worker) {
  const std::vector<io::ReadRange>& ranges = task.unit.inputs;
  for (std::size_t i = 0; i < ranges.size(); ++i) source_.fill(ranges[i], task.inputs[i]);
  work_.operation.run(task, worker);
  for (const io::ReadRange& range : ranges) source_.check(range);
  work_.operation.conclude(task);
  if (work_.output != nullptr) work_.output->prepare(task);
  // Here, so that no thread does it for all; but the writer's may have to copy from them.
  if (std::ranges::all_of(task.results, &Result::taken)) release_inputs(task);
}

/// Unless it was done before.
void Stream::release_inputs(Task& task) {
  const std::size_t count = std::exchange(task.inputs, {}).size();
  for (std::size_t i = 0; i < count; ++i) source_.release(task.unit.inputs[i]);
}

// On the writer's thread.
void Stream::finish_all(FinishNode::gateway_type& gateway) {
  bool output_failed = false;
  const auto output = [&](auto&& step) {
    if (error_.raised() || work_.output == nullptr) return;
    if (!error_.guard([&] { step(*work_.output); })) output_failed = true;
  };
  Slot* slot = nullptr;
  for (to_finish_.pop(slot); slot != nullptr; to_finish_.pop(slot)) {
    output([&](Consumer& consumer) { consumer.take(slot->task); });
    error_.guard([&] { monitor_.finished(slot->task); });
    release_inputs(slot->task);
    slot->task = {};
    pool_.release(slot);
    gateway.release_wait();
    output([](Consumer& consumer) { consumer.settle(); });
  }
  output([](Consumer& consumer) { consumer.finish(); });
  if (error_.raised() && !output_failed && work_.output != nullptr) work_.output->save();
}

}  // namespace

void stream(const Work& work, io::Source& source, const MemoryPlan& memory,
            const StreamSettings& settings, Turns& turns, Monitor& monitor) {
  Stream(work, source, memory, settings, turns, monitor).run();
}

}  // namespace sluice::engine
