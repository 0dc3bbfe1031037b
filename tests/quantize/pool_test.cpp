#include "quantize/pool.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "io/source.h"
#include "quantize/factor_window.h"
#include "quantize/matrix_buffer.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

TEST(Pool, GivesOutWhatThereIsAndWaitsForMore) {
  Pool<int> pool(2, 7);
  const std::stop_source ended;
  std::shared_ptr<int> first = pool.acquire(ended.get_token());
  const std::shared_ptr<int> second = pool.acquire(ended.get_token());
  EXPECT_EQ(*first + *second, 14);
  EXPECT_NE(first, second);
  std::shared_ptr<int> share = first;  // of a unit's
  std::shared_ptr<int> third;
  std::jthread waiting([&] { third = pool.acquire(ended.get_token()); });
  first.reset();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(share.use_count(), 1);  // and third has nothing, or this were of two
  const int* const used = share.get();
  share.reset();
  waiting.join();
  EXPECT_EQ(third.get(), used);
}

TEST(Pool, WaitsNoLongerThanTheRun) {
  Pool<int> pool(1);
  std::stop_source ended;
  const std::shared_ptr<int> all = pool.acquire(ended.get_token());
  std::jthread failing([&] { ended.request_stop(); });
  EXPECT_EQ(pool.acquire(ended.get_token()), nullptr);
}

TEST(MatrixBuffer, TellsOneOfManyThreadsThatItIsWhole) {
  constexpr int kThreads = 8;
  for (int again = 0; again < 200; ++again) {
    MatrixBuffer buffer(kThreads * 8);
    buffer.begin(kThreads);
    std::atomic<int> last = 0;
    std::atomic<int> seen = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&, i] {
          buffer.bytes()[static_cast<std::size_t>(i) * 8] = std::byte{1};
          if (!buffer.add_band()) return;
          ++last;
          for (int k = 0; k < kThreads; ++k) {
            seen += std::to_integer<int>(buffer.bytes()[static_cast<std::size_t>(k) * 8]);
          }
        });
      }
    }
    ASSERT_EQ(last, 1);
    ASSERT_EQ(seen, kThreads);
  }
}

TEST(FactorWindow, HasEveryRangeHoweverTheyLie) {
  const testing_support::TempFolder folder;
  testing_support::Bytes bytes(5 << 20);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte(i * 7 >> 4);
  testing_support::write_file(folder / "a", bytes);
  std::vector<io::File> files;
  files.push_back(io::File::open_input(folder / "a"));
  files.push_back(io::File::open_input(folder / "a"));
  for (const IoMode mode : {IoMode::async, IoMode::mmap, IoMode::plain}) {
    const io::OpenedSource opened = io::open_source(mode, io::pointers_to(files));
    engine::Turns turns(false);
    Observer silent;
    engine::Monitor monitor(silent, 1, 1, {});
    FactorWindow window;
    // Of several parts; in no order, one within another, side by side, over several reads, far away.
    const std::vector<io::ReadRange> ranges = {
        {1, 9000, 500}, {0, 500000, 3 << 20}, {0, 100, 200},     {0, 150, 20},
        {0, 300, 1},    {0, 2000, 4},         {1, 4 << 20, 999}, {0, 600000, 77}};
    for (int again = 0; again < 2; ++again) {
      window.read(ranges, {*opened.source, turns, monitor});
      for (const io::ReadRange& range : ranges) {
        EXPECT_TRUE(std::ranges::equal(window.at(range),
                                       std::span(bytes).subspan(range.offset, range.size)));
      }
    }
    EXPECT_LE(monitor.read_bytes(), 2u * (500 + (3 << 20) + 1904 + 999));
  }
}

}  // namespace
}  // namespace sluice
