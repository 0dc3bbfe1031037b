// The slow disk gives back what was written, whichever way, and its head takes the time that it is
// said to take, on a clock made up by the test. Then the whole bench, on a small model. How long
// anything takes here is not looked at.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "disk_head.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
using sluice::bench::DiskHead;
namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1 << 20;

TEST(DiskHead, TakesTheTimeOfItsRate) {
  DiskHead head(100e6, 0);
  double now = 10;
  now = head.use(now, 1, 0, 100'000'000);
  EXPECT_NEAR(now, 11 - DiskHead::kCredit, 1e-9);
  now = head.use(now, 1, 100'000'000, 50'000'000);
  EXPECT_NEAR(now, 11.5 - DiskHead::kCredit, 1e-9);
}

TEST(DiskHead, RequestsAtOnceQueueUp) {
  DiskHead head(100e6, 0);
  const double first = head.use(1, 1, 0, 10'000'000);
  EXPECT_NEAR(head.use(1, 1, 10'000'000, 10'000'000), first + 0.1, 1e-9);
  EXPECT_NEAR(head.use(1, 1, 20'000'000, 10'000'000), first + 0.2, 1e-9);
}

TEST(DiskHead, IdleTimeIsCreditedOnlyInPart) {
  DiskHead head(100e6, 0);
  head.use(0, 1, 0, 1000);
  EXPECT_NEAR(head.use(100, 1, 1000, 100'000'000), 101 - DiskHead::kCredit, 1e-9);
}

TEST(DiskHead, SeeksToAnotherFileOrFarAwayOnly) {
  DiskHead head(100e6, 0.01);
  const double start = head.use(1000, 1, 0, kMiB);
  EXPECT_EQ(head.seeks(), 1u);
  head.use(start, 1, kMiB, kMiB);
  head.use(start, 1, 3 * kMiB, kMiB);  // skips one
  head.use(start, 1, 0, kMiB);         // comes late
  EXPECT_EQ(head.seeks(), 1u);
  const double before = head.use(start, 1, 8 * kMiB, kMiB);
  EXPECT_EQ(head.seeks(), 1u) << "what came late moved the head back";
  const double other_file = head.use(start, 2, 9 * kMiB, kMiB);
  EXPECT_EQ(head.seeks(), 2u);
  EXPECT_NEAR(other_file - before, kMiB / 100e6 + 0.01, 1e-9);
  head.use(start, 2, 10 * kMiB + DiskHead::kNearBy, kMiB);
  EXPECT_EQ(head.seeks(), 2u) << "as near as may be";
  head.use(start, 2, 12 * kMiB + 2 * DiskHead::kNearBy, kMiB);
  EXPECT_EQ(head.seeks(), 3u) << "forward";
  head.use(start, 2, 0, kMiB);
  EXPECT_EQ(head.seeks(), 4u) << "back";
}

// A slow disk that is fast, over a folder of its own.
class SlowDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (::access("/dev/fuse", R_OK | W_OK) != 0) GTEST_SKIP() << "no FUSE here";
    fs::create_directory(folder_ / "backing");
    fs::create_directory(folder_ / "disk");
    disk_ = ::fork();
    if (disk_ == 0) {
      const int silent = ::open("/dev/null", O_WRONLY);
      ::dup2(silent, STDERR_FILENO);
      exec_words({SLUICE_SLOW_DISK, folder_ / "backing", folder_ / "disk", "10e9", "0",
                  folder_ / "counters"});
    }
    struct stat above {};
    struct stat here {};
    ::stat((folder_ / "").c_str(), &above);
    do {
      if (::waitpid(disk_, nullptr, WNOHANG) == disk_) {
        disk_ = -1;
        GTEST_SKIP() << "FUSE is not allowed here";
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      ::stat((folder_ / "disk").c_str(), &here);
    } while (here.st_dev == above.st_dev);
  }

  void TearDown() override {
    if (disk_ <= 0) return;
    const Finished unmounted = run({"fusermount3", "-u", "-z", folder_ / "disk"});
    EXPECT_EQ(unmounted.status, 0) << unmounted.errors;
    ::kill(disk_, SIGKILL);  // a test that failed may have left a file open, and the disk waiting
    ::waitpid(disk_, nullptr, 0);
  }

  std::string on_disk(const std::string& name) const { return folder_ / ("disk/" + name); }
  std::string below(const std::string& name) const { return folder_ / ("backing/" + name); }

  // The disk's counters: bytes read, bytes written, seeks.
  std::vector<std::uint64_t> counters() const {
    const std::vector<std::byte> bytes = read_file(folder_ / "counters");
    std::vector<std::uint64_t> numbers(3);
    std::copy_n(bytes.begin(), 24, std::as_writable_bytes(std::span(numbers)).begin());
    return numbers;
  }

  TempFolder folder_;

 private:
  pid_t disk_ = -1;
};

std::vector<std::byte> some_bytes(std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::uint32_t x = 1;
  for (std::byte& byte : bytes) byte = static_cast<std::byte>((x = x * 1664525 + 1013904223) >> 24);
  return bytes;
}

void forget(int descriptor) {
  ASSERT_EQ(::fdatasync(descriptor), 0);
  ASSERT_EQ(::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED), 0);
}

TEST_F(SlowDisk, GivesBackWhatWasWrittenEachWayOfReading) {
  const std::vector<std::byte> bytes = some_bytes(5 * kMiB + 123);
  write_file(on_disk("a"), bytes);
  const int descriptor = ::open(on_disk("a").c_str(), O_RDONLY);
  ASSERT_GE(descriptor, 0);
  forget(descriptor);
  EXPECT_EQ(read_file(below("a")), bytes);
  EXPECT_GE(counters()[1], bytes.size());

  const std::uint64_t before = counters()[0];
  EXPECT_EQ(read_file(on_disk("a")), bytes);
  EXPECT_GE(counters()[0] - before, bytes.size()) << "the head was not asked";
  const std::uint64_t cold = counters()[0];
  EXPECT_EQ(read_file(on_disk("a")), bytes);
  EXPECT_EQ(counters()[0], cold) << "the cache was lost";

  forget(descriptor);
  void* mapped = ::mmap(nullptr, bytes.size(), PROT_READ, MAP_SHARED, descriptor, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  EXPECT_EQ(std::memcmp(mapped, bytes.data(), bytes.size()), 0);
  ::munmap(mapped, bytes.size());
  ::close(descriptor);

  const int direct = ::open(on_disk("a").c_str(), O_RDONLY | O_DIRECT);
  ASSERT_GE(direct, 0);
  const std::unique_ptr<void, decltype(&std::free)> page(std::aligned_alloc(4096, 2 * kMiB),
                                                         &std::free);
  const std::uint64_t cached = counters()[0];
  ASSERT_EQ(::pread(direct, page.get(), 2 * kMiB, 4 * kMiB),
            static_cast<ssize_t>(bytes.size() - 4 * kMiB));
  EXPECT_EQ(std::memcmp(page.get(), bytes.data() + 4 * kMiB, bytes.size() - 4 * kMiB), 0);
  EXPECT_EQ(counters()[0] - cached, bytes.size() - 4 * kMiB) << "read past the cache";
  ::close(direct);
}

TEST_F(SlowDisk, WritesAtOffsetsReservesSyncsAndRenames) {
  const std::vector<std::byte> bytes = some_bytes(3 * kMiB);
  const int descriptor = ::open(on_disk("b.part").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  ASSERT_GE(descriptor, 0);
  ASSERT_EQ(::ftruncate(descriptor, 3 * kMiB), 0);
  ASSERT_EQ(::fallocate(descriptor, 0, 0, 3 * kMiB), 0);
  struct stat status {};
  ASSERT_EQ(::stat(below("b.part").c_str(), &status), 0);
  EXPECT_GE(static_cast<std::uint64_t>(status.st_blocks) * 512, 3 * kMiB);
  // Back to front, and not in whole pages.
  for (const std::size_t offset :
       {std::size_t{2'000'001}, std::size_t{1'000'003}, std::size_t{0}}) {
    const std::size_t end = offset == 2'000'001 ? bytes.size() : offset + 1'000'003;
    ASSERT_EQ(::pwrite(descriptor, bytes.data() + offset, end - offset, static_cast<off_t>(offset)),
              static_cast<ssize_t>(end - offset));
  }
  ASSERT_EQ(::sync_file_range(
                descriptor, 0, 0,
                SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER),
            0);
  EXPECT_EQ(read_file(below("b.part")), bytes);
  ASSERT_EQ(::fsync(descriptor), 0);
  ::close(descriptor);
  write_file(on_disk("b"), some_bytes(10));
  ASSERT_EQ(::rename(on_disk("b.part").c_str(), on_disk("b").c_str()), 0);
  EXPECT_EQ(read_file(on_disk("b")), bytes);
  EXPECT_FALSE(fs::exists(below("b.part")));

  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(on_disk(""))) {
    names.push_back(entry.path().filename());
  }
  EXPECT_EQ(names, std::vector<std::string>{"b"});
  EXPECT_TRUE(fs::remove(on_disk("b")));
  EXPECT_FALSE(fs::exists(below("b")));
  EXPECT_FALSE(fs::exists(on_disk("b")));
}

// Derives from SlowDisk for its skipping where FUSE is not allowed.
class WholeBench : public SlowDisk {};

TEST_F(WholeBench, MeasuresASmallModelAndCleansUp) {
  if (run({"python3", "--version"}).status != 0) GTEST_SKIP() << "no python3 here";
  const std::string output = folder_ / "out";
  const Finished done = run({SLUICE_BENCH_DISK,
                             "--build",
                             SLUICE_BUILD,
                             "--weights",
                             "2e6",
                             "--repeats",
                             "1",
                             "--rate",
                             "1G",
                             "--seek",
                             "0",
                             "--backend",
                             "fuse",
                             "--io",
                             "async,read",
                             "--memory",
                             "128M",
                             "--program",
                             "copier=cp {input} {output}",
                             "--program",
                             "broken=false {input} "
                             "{output}",
                             "--output",
                             output});
  ASSERT_EQ(done.status, 0) << done.errors;
  for (const char* words :
       {"| read the input |", "| write as much as the output |", "| cp |", "| sluice --io async |",
        "| sluice --io read |", "| copier |", "| broken | failed", "| sluice --memory 128M --io"}) {
    EXPECT_NE(done.out.find(words), std::string::npos) << words << " is missing in\n" << done.out;
  }
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(output)) left.push_back(entry.path().filename());
  std::sort(left.begin(), left.end());
  const std::vector<std::string> expected = {"results.json", "results.md", "separate.svg",
                                             "shared.svg"};
  EXPECT_EQ(left, expected);
}

}  // namespace
