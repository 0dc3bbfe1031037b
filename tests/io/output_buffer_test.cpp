#include "io/output_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "io/direct.h"

namespace sluice::io {
namespace {

constexpr std::uint64_t kExtent = OutputBuffer::kExtent;

std::vector<std::byte> pattern(std::uint64_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

/// A file that keeps what it was given, and complains about bytes that come twice.
class Written {
 public:
  explicit Written(std::uint64_t size) : bytes(size) {}

  void take(const std::vector<OutputBuffer::Write>& taken) {
    for (const OutputBuffer::Write& write : taken) {
      std::uint64_t at = write.begin;
      for (const std::span<const std::byte> piece : write.pieces) {
        std::memcpy(&bytes[at], piece.data(), piece.size());
        at += piece.size();
      }
      EXPECT_EQ(at - write.begin, write.size);
      EXPECT_EQ(ranges.overlap({write.begin, at}), 0u) << "written twice";
      EXPECT_TRUE(writes.empty() || rising == false || write.begin >= writes.back().end);
      ranges.add({write.begin, at});
      writes.push_back({write.begin, at});
    }
  }

  std::vector<std::byte> bytes;
  IntervalSet ranges;
  std::vector<Interval> writes;
  bool rising = false;
};

TEST(OutputBuffer, NeighboursBecomeOneWrite) {
  const std::uint64_t size = 6 * kExtent;
  const std::vector<std::byte> data = pattern(size, 1);
  Written file(size);
  file.rising = true;
  OutputBuffer buffer(8, size, {});
  // The second half before the first, in pieces that cross extents.
  for (const Interval piece :
       {Interval{3 * kExtent, 5 * kExtent + 100}, {0, kExtent + 7}, {kExtent + 7, 3 * kExtent}}) {
    ASSERT_EQ(buffer.put(piece.begin, std::span(data).subspan(piece.begin, piece.size())),
              piece.size());
  }
  EXPECT_EQ(buffer.ready_bytes(), 5 * kExtent);
  file.take(buffer.take_ready(size, size));
  EXPECT_EQ(file.writes, (std::vector<Interval>{{0, 5 * kExtent}}));
  EXPECT_EQ(buffer.ready_bytes(), 0u);
  buffer.put(5 * kExtent + 100, std::span(data).subspan(5 * kExtent + 100));
  file.take(buffer.take_ready(size, size));
  EXPECT_EQ(file.bytes, data);
  EXPECT_TRUE(buffer.took_out({0, size}));
}

TEST(OutputBuffer, NoWriteIsLargerThanTheLargest) {
  const std::uint64_t size = 9 * kExtent + 5;
  const std::vector<std::byte> data = pattern(size, 2);
  Written file(size);
  OutputBuffer buffer(10, size, {});
  buffer.put(0, data);
  file.take(buffer.take_ready(size, 4 * kExtent));
  ASSERT_EQ(file.writes.size(), 3u);
  for (const Interval write : file.writes) EXPECT_LE(write.size(), 4 * kExtent);
  EXPECT_EQ(file.bytes, data);
}

TEST(OutputBuffer, WritesOfWholeExtentsCanGoPastThePageCache) {
  const std::uint64_t size = 4 * kExtent;
  OutputBuffer buffer(4, size, {});
  buffer.put(0, pattern(size, 3));
  const std::vector<OutputBuffer::Write> writes = buffer.take_ready(size, size);
  ASSERT_EQ(writes.size(), 1u);
  EXPECT_EQ(writes[0].begin % kDirectAlignment, 0u);
  for (const std::span<const std::byte> piece : writes[0].pieces) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(piece.data()) % kDirectAlignment, 0u);
    EXPECT_EQ(piece.size() % kDirectAlignment, 0u);
  }
}

TEST(OutputBuffer, TakesNoMoreThanThereIsRoomFor) {
  const std::uint64_t size = 10 * kExtent;
  const std::vector<std::byte> data = pattern(size, 4);
  Written file(size);
  OutputBuffer buffer(4, size, {});
  const std::size_t taken = buffer.put(100, std::span(data).subspan(100));
  EXPECT_EQ(taken, 4 * kExtent - 100);
  EXPECT_EQ(buffer.put(4 * kExtent, std::span(data).subspan(4 * kExtent)), 0u);
  file.take(buffer.take_ready(size, size));
  EXPECT_EQ(file.writes, (std::vector<Interval>{{kExtent, 4 * kExtent}}));
}

TEST(OutputBuffer, AllAreTakenOrNone) {
  const std::uint64_t size = 8 * kExtent;
  const std::vector<std::byte> data = pattern(size, 5);
  Written file(size);
  OutputBuffer buffer(4, size, {});
  EXPECT_TRUE(buffer.put_all(100, std::span(data).subspan(100, 2 * kExtent)));
  EXPECT_FALSE(buffer.put_all(4 * kExtent, std::span(data).subspan(4 * kExtent, kExtent + 1)));
  EXPECT_TRUE(buffer.put_all(4 * kExtent, std::span(data).subspan(4 * kExtent, kExtent)));
  EXPECT_FALSE(buffer.put_all(5 * kExtent, std::span(data).subspan(5 * kExtent, 1)));
  file.take(buffer.take_all(size));
  EXPECT_EQ(file.ranges.size(), 3 * kExtent);
}

// An extent is written anew only when no write needs its memory any more.
TEST(OutputBuffer, MemoryIsFreeWhenItsWritesAreGone) {
  const std::uint64_t size = 8 * kExtent;
  const std::vector<std::byte> data = pattern(size, 6);
  OutputBuffer buffer(1, size, {});
  for (const std::uint64_t at : {0, 1000}) buffer.put(at, std::span(data).subspan(at, 10));
  std::vector<OutputBuffer::Write> writes = buffer.take_all(size);
  ASSERT_EQ(writes.size(), 2u);
  writes.pop_back();
  EXPECT_EQ(buffer.put(kExtent, std::span(data).first(10)), 0u);
  writes.pop_back();
  EXPECT_EQ(buffer.put(kExtent, std::span(data).first(10)), 10u);
}

TEST(OutputBuffer, TakesFromManyThreads) {
  constexpr std::uint64_t kPiece = 70001;
  constexpr std::uint64_t kPieces = 400;
  const std::uint64_t size = kPiece * kPieces;
  const std::vector<std::byte> data = pattern(size, 7);
  Written file(size);
  OutputBuffer buffer(6, size, {});
  std::atomic<std::uint64_t> next = 0;
  std::atomic<int> at_work = 3;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (std::uint64_t piece = next++; piece < kPieces; piece = next++) {
        const std::uint64_t at = piece * kPiece;
        while (!buffer.put_all(at, std::span(data).subspan(at, kPiece))) std::this_thread::yield();
      }
      --at_work;
    });
  }
  while (at_work > 0) file.take(buffer.take_all(4 * kExtent));
  for (std::thread& thread : threads) thread.join();
  file.take(buffer.take_all(4 * kExtent));
  EXPECT_EQ(file.bytes, data);
  EXPECT_TRUE(file.ranges.contains({0, size}));
}

// Any order, any room, any part done before: the file comes out right, nothing is written twice,
// and what was done before is left alone.
TEST(OutputBuffer, AnyOrderAnyRoomAnythingDoneBefore) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    const std::uint64_t size = 1 + random() % (12 * kExtent);
    const std::vector<std::byte> data = pattern(size, seed);
    IntervalSet done;
    for (unsigned k = random() % 4; k > 0; --k) {
      const std::uint64_t begin = random() % size;
      done.add({begin, std::min(size, begin + random() % (2 * kExtent))});
    }
    std::vector<Interval> pieces;
    for (std::uint64_t at = 0; at < size;) {
      const std::uint64_t end = std::min(size, at + 1 + random() % kExtent);
      pieces.push_back({at, end});
      at = end;
    }
    std::shuffle(pieces.begin(), pieces.end(), random);

    Written file(size);
    done.for_each([&](Interval range) {
      std::memcpy(&file.bytes[range.begin], &data[range.begin], range.size());
      file.ranges.add(range);
    });
    OutputBuffer buffer(OutputBuffer::kLeastExtents + random() % 6, size, done);
    for (Interval piece : pieces) {
      while (piece.size() > 0) {
        piece.begin += buffer.put(piece.begin, std::span(data).subspan(piece.begin, piece.size()));
        if (piece.size() == 0) break;
        if (buffer.ready_bytes() > 0) {
          file.take(buffer.take_ready(size, 4 * kExtent));
        } else {
          file.take(buffer.take_all(4 * kExtent));
        }
      }
    }
    file.take(buffer.take_all(4 * kExtent));
    ASSERT_EQ(file.bytes, data) << "seed " << seed;
    ASSERT_TRUE(file.ranges.contains({0, size}));
    ASSERT_TRUE(buffer.took_out({0, size}));
    ASSERT_EQ(buffer.ready_bytes(), 0u);
  }
}

}  // namespace
}  // namespace sluice::io
