#include "engine/slots.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "base/process_memory.h"

namespace sluice::engine {
namespace {

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;

MemoryPlan ten_slots() {
  MemoryPlan memory;
  memory.slots = 10;
  memory.few_slots = 3;
  memory.slot_bytes = kMebibyte;
  return memory;
}

/// Has a monitor see a disk that does some reads at once, each of so many bytes, in some milliseconds.
void read(Monitor& monitor, std::uint64_t bytes, std::size_t reads, std::int64_t milliseconds) {
  std::vector<Monitor::Read> begun;
  for (std::size_t i = 0; i < reads; ++i) begun.push_back(monitor.begin_read());
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  for (const Monitor::Read& each : begun) monitor.end_read(each, {}, bytes);
}

TEST(Slots, WhatCameBackLastIsNext) {
  Observer silent;
  Monitor monitor(silent, 1, 0, "");
  SlotPool pool(ten_slots(), true);
  Slot* const first = pool.acquire(monitor);
  Slot* const second = pool.acquire(monitor);
  pool.release(first);
  pool.release(second);
  EXPECT_EQ(pool.acquire(monitor), second);
  EXPECT_EQ(pool.acquire(monitor), first);
}

TEST(Slots, AllAreUsedOfASlowDisk) {
  Observer silent;
  Monitor monitor(silent, 1, 0, "");
  read(monitor, 100 * kMebibyte, 1, 300);
  SlotPool pool(ten_slots(), true);
  std::set<Slot*> slots;
  for (int i = 0; i < 10; ++i) slots.insert(pool.acquire(monitor));
  EXPECT_EQ(slots.size(), 10u);
}

// However slow each of its reads is.
TEST(Slots, FewAreUsedOfAFastDisk) {
  Observer silent;
  Monitor monitor(silent, 1, 0, "");
  read(monitor, kMebibyte, 10000, 100);
  SlotPool pool(ten_slots(), true);
  for (int i = 0; i < 2; ++i) pool.acquire(monitor);
  Slot* const third = pool.acquire(monitor);
  std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    pool.release(third);
  });
  EXPECT_EQ(pool.acquire(monitor), third) << "a fourth, which was not touched before";
}

TEST(Slots, ResultsAndInputsHavePlacesOfTheirOwn) {
  const MemoryPlan memory = ten_slots();
  Observer silent;
  Monitor monitor(silent, 1, 0, "");
  SlotPool pool(memory, true);
  Slot* const slot = pool.acquire(monitor);
  Unit unit;
  unit.room = 5000;
  unit.inputs = {{0, 4095, 10000}, {0, 70000, 3}};
  slot->assign(std::move(unit));
  const std::byte* at = slot->memory.data();
  EXPECT_EQ(slot->task.room.data(), at);
  EXPECT_EQ(slot->task.room.size(), 5000u);
  at += slot->task.room.size();
  for (std::size_t i = 0; i < 2; ++i) {
    const std::span<std::byte> place = slot->places[i];
    EXPECT_GE(place.data(), at);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(place.data()) % io::kDirectAlignment, 0u);
    EXPECT_GE(place.size(), slot->task.unit.inputs[i].size + io::Source::kBufferSlack);
    at = place.data() + place.size();
  }
  EXPECT_LE(at, slot->memory.data() + slot->memory.size());
}

TEST(Slots, ResultsAloneHoldNoMoreThanTheirPages) {
  MemoryPlan memory = ten_slots();
  memory.slot_bytes = 4 * kMebibyte;
  Observer silent;
  Monitor monitor(silent, 1, 0, "");
  SlotPool pool(memory, false);
  const std::uint64_t before = anonymous_bytes();
  for (std::uint64_t i = 0; i < memory.few_slots; ++i) {
    pool.acquire(monitor)->memory.front() = std::byte{1};
  }
  EXPECT_LT(anonymous_bytes(), before + kMebibyte);
}

}  // namespace
}  // namespace sluice::engine
