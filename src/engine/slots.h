#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "base/page_buffer.h"
#include "engine/memory_plan.h"
#include "engine/monitor.h"
#include "engine/work.h"
#include "io/direct.h"

namespace sluice::engine {

/// A grant of memory, and the task that uses it on its way from the disk to the disk.
struct Slot {
  std::span<std::byte> memory;
  Task task{};
  std::vector<std::span<std::byte>> places{};  // for the inputs
  std::atomic<std::size_t> reads_left = 0;

  /// The results come first, then a place for each input: small units touch little of the memory.
  void assign(Unit unit) {
    task = {.unit = std::move(unit)};
    task.inputs.resize(task.unit.inputs.size());
    task.room = memory.first(task.unit.room);
    reads_left = task.unit.inputs.size();
    std::span<std::byte> rest = memory.subspan(align_up(task.unit.room, io::kDirectAlignment));
    places.clear();
    for (const io::ReadRange& range : task.unit.inputs) {
      places.push_back(
          rest.first(align_up(range.size + io::Source::kBufferSlack, io::kDirectAlignment)));
      rest = rest.subspan(places.back().size());
    }
  }
};

/// The byte budget: all slots there are. A unit is read only when it has a slot, and keeps it until
/// the consumer has taken over what became of it. The slot that came back last is the next to be
/// given out, as its memory is there, and warm.
///
/// Reading far ahead keeps a hard disk busy while the cores are. From a faster one, or from the page
/// cache, bytes come about as soon as the system gives memory for them: there a few slots do.
class SlotPool {
 public:
  /// \param inputs  whether inputs lie in the slots: results alone would each hold a huge page
  SlotPool(const MemoryPlan& memory, bool inputs)
      : buffer_(memory.slots * memory.slot_bytes, inputs),
        slots_(memory.slots),
        few_(std::min(memory.few_slots, memory.slots)) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      slots_[i].memory = buffer_.bytes().subspan(i * memory.slot_bytes, memory.slot_bytes);
    }
  }

  /// Waits until a slot is free: for the reader's thread, never for a compute worker.
  Slot* acquire(Monitor& monitor) {
    std::unique_lock lock(mutex_);
    if (free_.empty()) {
      if (may_touch(monitor)) return &slots_[touched_++];
      wait(lock, monitor);
    }
    Slot* const slot = free_.back();
    free_.pop_back();
    return slot;
  }

  void release(Slot* slot) {
    const std::lock_guard lock(mutex_);
    free_.push_back(slot);
    changed_.notify_one();
  }

 private:
  // More than any hard disk reads.
  static constexpr double kFastDisk = 4e8;

  bool may_touch(const Monitor& monitor) const {
    return touched_ < few_ || (touched_ < slots_.size() && monitor.read_rate() < kFastDisk);
  }

  void wait(std::unique_lock<std::mutex>& lock, Monitor& monitor) {
    const auto is_free = [&] { return !free_.empty(); };
    if (touched_ < slots_.size())
      return changed_.wait(lock, is_free);  // more memory would not help
    const Monitor::Scope waiting = monitor.waiting_for_memory();
    changed_.wait(lock, is_free);
  }

  PageBuffer buffer_;
  std::vector<Slot> slots_;
  const std::size_t few_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Slot*> free_;
  std::size_t touched_ = 0;  // those after it were never given out
};

}  // namespace sluice::engine
