// What a mapped source keeps in the page cache, and what it gives back: neighbouring ranges share
// pages, and bytes are read from the disk once.

#include "io/mapped_source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "io/sizes.h"
#include "support/needs.h"
#include "support/temp_folder.h"

namespace sluice::io {
namespace {

using testing_support::TempFolder;
using testing_support::write_file;

class MappedSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    write_file(folder_ / "a", std::vector<std::byte>(kSize, std::byte{1}));
    files_.push_back(File::open_input(folder_ / "a"));
    ASSERT_EQ(::fsync(files_[0].descriptor()), 0);  // dirty pages would stay
    files_[0].drop_cached(0, kSize);
    map_ = ::mmap(nullptr, kSize, PROT_READ, MAP_SHARED, files_[0].descriptor(), 0);
    ASSERT_NE(map_, MAP_FAILED);
    SLUICE_NEEDS(cached(0, kSize) == 0, "this file system cannot drop pages (tmpfs?)");
    std::string reason;
    source_ = open_mapped_source(pointers_to(files_), reason);
    ASSERT_NE(source_, nullptr) << reason;
  }
  ~MappedSourceTest() override { ::munmap(map_, kSize); }

  void read(const ReadRange& range) {
    source_->read(range, {}, [](std::span<const std::byte> bytes, std::exception_ptr error) {
      ASSERT_FALSE(error);
      ASSERT_EQ(std::count(bytes.begin(), bytes.end(), std::byte{1}),
                static_cast<std::ptrdiff_t>(bytes.size()));
    });
  }

  /// How many pages of [begin, end) are in the page cache.
  std::size_t cached(std::size_t begin, std::size_t end) const {
    std::vector<unsigned char> pages((kSize + kPage - 1) / kPage);
    EXPECT_EQ(::mincore(map_, kSize, pages.data()), 0);
    return static_cast<std::size_t>(
        std::count_if(pages.begin() + static_cast<std::ptrdiff_t>(begin / kPage),
                      pages.begin() + static_cast<std::ptrdiff_t>((end + kPage - 1) / kPage),
                      [](unsigned char page) { return (page & 1) != 0; }));
  }

  static constexpr std::size_t kSize = 12 * kMiB + 100;
  // Of all three, both ends lie within a page and within a folio.
  static constexpr ReadRange kFirst{0, 100, 3 * kMiB};
  static constexpr ReadRange kSecond{0, 100 + 3 * kMiB, 12000};
  static constexpr ReadRange kThird{0, 12100 + 3 * kMiB, kSize - 12100 - 3 * kMiB};

  TempFolder folder_;
  std::vector<File> files_;
  void* map_ = MAP_FAILED;
  std::unique_ptr<Source> source_;
};

TEST_F(MappedSourceTest, RangesInUseKeepTheirPagesWhateverIsReleased) {
  const std::size_t pages = (kSize + kPage - 1) / kPage;
  std::string seen;
  // The kernel may take a page at any time, or hold one for a moment, though hardly each time.
  for (int tries = 3; tries > 0; --tries) {
    for (const ReadRange& range : {kFirst, kSecond, kThird}) read(range);
    const std::size_t read_in = cached(0, kSize);
    source_->release(kSecond);
    const std::size_t all_but_one = cached(0, kSize);
    source_->release(kFirst);
    const std::size_t third = cached(kThird.offset, kSize);
    source_->release(kThird);
    const std::size_t none = cached(0, kSize);
    if (read_in == pages && all_but_one >= pages - 1 && third == pages - kThird.offset / kPage &&
        none == 0) {
      return;
    }
    seen += " " + std::to_string(read_in) + "/" + std::to_string(all_but_one) + "/" +
            std::to_string(third) + "/" + std::to_string(none);
  }
  ADD_FAILURE() << "of " << pages << " pages, read, after one, two and three releases:" << seen;
}

TEST_F(MappedSourceTest, EveryOrderOfReleasesFreesEverything) {
  std::vector<ReadRange> order = {kFirst, kSecond, kThird};
  const auto earlier = [](const ReadRange& a, const ReadRange& b) { return a.offset < b.offset; };
  do {
    // The kernel leaves a page that it holds itself for a moment, though hardly each time.
    std::string left;
    bool free = false;
    for (int tries = 3; !free && tries > 0; --tries) {
      for (const ReadRange& range : {kFirst, kSecond, kThird}) read(range);
      for (const ReadRange& range : order) source_->release(range);
      const std::size_t pages = cached(0, kSize);
      free = pages == 0;
      left += " " + std::to_string(pages);
    }
    EXPECT_TRUE(free) << order[0].offset << " " << order[1].offset << ": pages left:" << left;
  } while (std::next_permutation(order.begin(), order.end(), earlier));
}

TEST_F(MappedSourceTest, WhatWasReadAheadIsNotThrownAway) {
  read(kFirst);
  const std::size_t end = kFirst.offset + kFirst.size;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (cached(end, 4 * kMiB) < kMiB / kPage && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // The kernel is asked for a MiB. It may leave out pages that it has no room for, and may take some
  // back at any time; a release that threw away what is ahead would throw away all of it.
  constexpr std::size_t kLeast = kMiB / kPage * 9 / 10;
  const std::size_t ahead = cached(end, 4 * kMiB);
  ASSERT_GE(ahead, kLeast) << "nothing was read ahead";
  ASSERT_LE(ahead, kMiB / kPage) << "more was read ahead than was asked for";
  source_->release(kFirst);
  EXPECT_GE(cached(end, 4 * kMiB), kLeast);
}

}  // namespace
}  // namespace sluice::io
