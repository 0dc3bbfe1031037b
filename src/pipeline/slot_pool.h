#pragma once

#include <tbb/concurrent_queue.h>

#include <cstddef>
#include <span>
#include <vector>

#include "base/page_buffer.h"
#include "pipeline/chunk_encoder.h"
#include "plan/plan.h"

namespace sluice {

/// A grant of memory, and the chunk that uses it on its way from the disk to the disk.
struct Slot {
  std::span<std::byte> memory;
  Chunk chunk{};
  std::span<const std::byte> input;   ///< set by the reader
  std::span<const std::byte> output;  ///< set by the encoder
  ErrorSums errors{};
};

/// The byte budget: all slots there are. A chunk is read only when it has a slot, and keeps it
/// until the output writer has taken over what became of it.
class SlotPool {
 public:
  SlotPool(std::size_t slots, std::size_t slot_bytes) : buffer_(slots * slot_bytes), slots_(slots) {
    for (std::size_t i = 0; i < slots; ++i) {
      slots_[i].memory = buffer_.bytes().subspan(i * slot_bytes, slot_bytes);
      free_.push(&slots_[i]);
    }
  }

  /// Null if no slot is free.
  Slot* try_acquire() {
    Slot* slot = nullptr;
    return free_.try_pop(slot) ? slot : nullptr;
  }

  /// Waits until a slot is free: for the reader's thread, never for a compute worker.
  Slot* acquire() {
    Slot* slot = nullptr;
    free_.pop(slot);
    return slot;
  }

  void release(Slot* slot) { free_.push(slot); }

 private:
  PageBuffer buffer_;
  std::vector<Slot> slots_;
  tbb::concurrent_bounded_queue<Slot*> free_;
};

}  // namespace sluice
