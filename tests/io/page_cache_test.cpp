// What is cached when reading begins is cached when it ends, and nothing else is, whichever way the
// file is read. The kernel tells, by mincore.

#include "support/page_cache.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/interval_set.h"
#include "base/page_buffer.h"
#include "io/cached_pages.h"
#include "io/sizes.h"
#include "io/source.h"
#include "support/needs.h"
#include "support/temp_folder.h"

namespace sluice::io {
namespace {

/// What was taken out of the page cache by this program, since it was cleared.
class Drops {
 public:
  void add(Interval range) {
    const std::lock_guard lock(mutex_);
    ranges_.push_back(range);
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    ranges_.clear();
  }
  bool hold(Interval range) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(ranges_, [&](const Interval& dropped) {
      return dropped.begin <= range.begin && range.end <= dropped.end;
    });
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Interval> ranges_;
};
Drops drops;

}  // namespace
}  // namespace sluice::io

// In place of the C library's: the kernel takes pages for itself too, which must be told apart.
extern "C" int posix_fadvise(int file, off_t begin, off_t size, int advice) noexcept {
  if (advice == POSIX_FADV_DONTNEED) {
    const auto first = static_cast<std::uint64_t>(begin);
    sluice::io::drops.add(
        {first, size == 0 ? UINT64_MAX : first + static_cast<std::uint64_t>(size)});
  }
  return ::syscall(SYS_fadvise64, file, begin, size, advice) == 0 ? 0 : errno;
}

namespace sluice::io {
namespace {

using namespace testing_support;

constexpr std::size_t kCachedSize = 21 * kMiB + 1234;  // its last page is not whole

struct Extent {
  std::size_t begin = 0;
  std::size_t size = 0;
};

struct Pattern {
  const char* name;
  std::vector<Extent> cached;
};

// Single pages, and ends within folios and within the ranges that are read.
const Pattern kPatterns[] = {
    {"nothing", {}},
    {"all", {{0, kCachedSize}}},
    {"half", {{0, 10 * kMiB + 3 * kPage}}},
    {"middle", {{5 * kMiB + kPage, 9 * kMiB}}},
    {"stripes", {{kMiB, kMiB}, {3 * kMiB, kMiB}, {7 * kMiB, 5 * kMiB}, {20 * kMiB, kMiB + 1234}}},
    {"pages", {{0, kPage}, {6 * kMiB, kPage}, {6 * kMiB + 4 * kPage, kPage}, {kCachedSize - 1, 1}}},
};

class PageCache : public testing::TestWithParam<std::tuple<IoMode, Pattern>> {
 protected:
  static void SetUpTestSuite() { files_ = std::make_unique<const Files>(); }
  static void TearDownTestSuite() { files_.reset(); }

  void SetUp() override {
    std::size_t pages = 0;
    for (const Extent& extent : pattern().cached) {
      pages += (extent.begin % kPage + extent.size + kPage - 1) / kPage;
    }
    const auto cached = [&] { return static_cast<std::size_t>(std::ranges::count(before_, true)); };
    // The kernel may take some of them before they are counted, and of many one or two each time.
    int tries = 10;
    do {
      SLUICE_NEEDS(forget(path_), "the temporary folder's file system keeps files in memory");
      for (const Extent& extent : pattern().cached) bring_in(path_, extent.begin, extent.size);
      before_ = cached_pages(path_);
    } while (cached() != pages && --tries > 0);
    ASSERT_LE(cached(), pages) << "the test's own fault";
    ASSERT_GE(cached(), pages - pages / 20) << "the test's own fault";
    lost_.assign(before_.size(), false);
    drops.clear();
  }

  IoMode mode() const { return std::get<0>(GetParam()); }
  const Pattern& pattern() const { return std::get<1>(GetParam()); }

  /// Reads ranges that lie anyhow to pages, some at a time, and lets them go in another order.
  void read_all(Source& source) {
    std::vector<ReadRange> ranges;
    for (std::size_t at = 0, size = 3 * kMiB + 100; at < kCachedSize; at += size, size -= 70'001) {
      ranges.push_back({0, at, std::min(size, kCachedSize - at)});
    }
    for (std::size_t first = 0; first < ranges.size(); first += 3) {
      const auto some =
          std::span(ranges).subspan(first, std::min<std::size_t>(3, ranges.size() - first));
      read_some(source, some);
      for (auto range = some.rbegin(); range != some.rend(); ++range) source.release(*range);
    }
  }

  void read_some(Source& source, std::span<const ReadRange> ranges) {
    std::vector<PageBuffer> buffers;
    for (const ReadRange& range : ranges) {
      see_losses();
      buffers.emplace_back(range.size + Source::kBufferSlack);
      std::promise<std::span<const std::byte>> done;
      source.read(range, buffers.back().bytes(),
                  [&](std::span<const std::byte> bytes, const std::exception_ptr& error) {
                    error ? done.set_exception(error) : done.set_value(bytes);
                  });
      const std::span<const std::byte> bytes = done.get_future().get();
      ASSERT_EQ(bytes.size(), range.size);
      source.fill(range, bytes);
      EXPECT_EQ(std::memcmp(bytes.data(), &contents_[range.offset], range.size), 0) << range.offset;
      source.check(range);
    }
  }

  void read_file() {
    const File file = File::open_input(path_);
    const std::uint64_t cached = bytes_cached_before();
    const OpenedSource opened = open_source(mode(), {&file});
    const std::uint64_t already_read = bytes_from_disks();
    read_all(*opened.source);
    const std::uint64_t read = bytes_from_disks() - already_read;
    const std::uint64_t found = opened.source->found_bytes();
    EXPECT_EQ(opened.source->unseen_file(), "");
    EXPECT_LE(found, cached);
    if (mode() == IoMode::async) {
      EXPECT_EQ(found, 0u);
    } else {
      see_losses();
      const auto lost = static_cast<std::uint64_t>(std::ranges::count(lost_, true)) * kPage;
      // Of short stretches that are cached, the disk may be asked too.
      EXPECT_GE(found + lost + 4 * kPage, cached);
      // Neighbours share a page, which each of them reads.
      EXPECT_LE(read, kCachedSize - cached + lost + 24 * kPage);
    }
  }

  /// What has left the page cache without being dropped here, the kernel has taken for something else: on a
  /// machine that is short of memory, a page of such a file every ten seconds though nobody touches it. A source
  /// that finds it gone brings it in, and drops it with right.
  void see_losses() {
    const std::vector<bool> now = cached_pages(path_);
    for (std::size_t page = 0; page < now.size(); ++page) {
      if (before_[page] && !now[page] && !dropped(page)) lost_[page] = true;
    }
  }

  static bool dropped(std::size_t page) {
    return drops.hold({page * kPage, std::min((page + 1) * kPage, kCachedSize)});
  }

  /// \returns what is not as it was before: a page that the kernel has in hand, as when it moves pages, stays when
  ///          it is asked to drop it, and one that it took between see_losses() and a source's look is dropped with
  ///          right. But hardly each time.
  std::string changes() {
    see_losses();
    const std::vector<bool> after = cached_pages(path_);
    std::string found;
    for (std::size_t page = 0; page < after.size(); ++page) {
      if (after[page] == before_[page] || lost_[page]) continue;
      const char* const what = !after[page] ? " dropped" : dropped(page) ? " stayed" : " left";
      found += what + (" " + std::to_string(page));
    }
    return found;
  }

  template <class Read>
  void expect_as_before_after(const Read& read) {
    std::string found;
    for (int tries = 3; tries > 0; --tries) {
      read();
      const std::string changed = changes();
      if (changed.empty()) return;
      found += changed + ";";
      if (tries > 1) SetUp();
    }
    ADD_FAILURE() << "of " << before_.size() << " pages:" << found;
  }

  std::uint64_t bytes_cached_before() const {
    std::uint64_t bytes = 0;
    for (std::size_t page = 0; page < before_.size(); ++page) {
      if (before_[page]) bytes += std::min(kPage, kCachedSize - page * kPage);
    }
    return bytes;
  }

  /// How many bytes this process has had disks read for it.
  static std::uint64_t bytes_from_disks() {
    std::ifstream io("/proc/self/io");
    for (std::string word; io >> word;) {
      std::uint64_t bytes = 0;
      if (word == "read_bytes:" && io >> bytes) return bytes;
    }
    return 0;
  }

  // Written once: the disk takes longer than the tests.
  struct Files {
    Files() {
      std::mt19937_64 random(1);
      for (std::size_t at = 0; at < kCachedSize; at += sizeof(std::uint64_t)) {
        const std::uint64_t bits = random();
        std::memcpy(&contents[at], &bits, std::min(sizeof bits, kCachedSize - at));
      }
      write_file(folder / "a", contents);
    }
    const TempFolder folder;
    std::vector<std::byte> contents = std::vector<std::byte>(kCachedSize);
  };
  static inline std::unique_ptr<const Files> files_;

  const std::string path_ = files_->folder / "a";
  const std::vector<std::byte>& contents_ = files_->contents;
  std::vector<bool> before_;
  std::vector<bool> lost_;  // of these, what the kernel took
};

TEST_P(PageCache, IsAsItWasBefore) {
  expect_as_before_after([&] { read_file(); });
}

class UnusualPageCache : public PageCache {};

// As before Linux 6.5. The filter is the thread's, and goes with it.
TEST_P(UnusualPageCache, IsAsItWasBeforeWhereCachestatIsUnknown) {
  std::thread([&] {
    constexpr unsigned kCachestat = 451;
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kCachestat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program{std::size(filter), filter};
    ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    expect_as_before_after([&] { read_file(); });
  }).join();
}

// Nobody tells who neither owns a file nor may write to it what is cached of it.
TEST_P(UnusualPageCache, KeepsWhatOthersHaveCached) {
  SLUICE_NEEDS(::geteuid() == 0, "only root can become somebody else");
  std::thread([&] {
    const File file = File::open_input(path_);
    constexpr long kNobody = 65534;
    // The system call changes this thread alone, the function all threads.
    ASSERT_EQ(::syscall(SYS_setresuid, kNobody, kNobody, kNobody), 0);
    const OpenedSource opened = open_source(mode(), {&file});
    read_all(*opened.source);
    const bool told = CachedPages(file).known();  // by kernels from 6.5 on to 6.12
    const bool asked = mode() != IoMode::async;
    EXPECT_EQ(opened.source->unseen_file(), told || !asked ? "" : path_);
  }).join();
  const std::vector<bool> after = cached_pages(path_);
  for (std::size_t page = 0; page < after.size(); ++page) {
    ASSERT_TRUE(after[page] || !before_[page] || !dropped(page))
        << "page " << page << " of " << after.size();
  }
}

constexpr IoMode kModes[] = {IoMode::automatic, IoMode::mmap, IoMode::async, IoMode::plain};

std::string name_of(const testing::TestParamInfo<std::tuple<IoMode, Pattern>>& test) {
  constexpr const char* kNames[] = {"automatic", "mmap", "async", "read"};
  return std::string(kNames[static_cast<int>(std::get<0>(test.param))]) + "_" +
         std::get<1>(test.param).name;
}

INSTANTIATE_TEST_SUITE_P(Modes, PageCache,
                         testing::Combine(testing::ValuesIn(kModes), testing::ValuesIn(kPatterns)),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Modes, UnusualPageCache,
                         testing::Combine(testing::ValuesIn(kModes), testing::Values(kPatterns[4])),
                         name_of);

}  // namespace
}  // namespace sluice::io
