// Mapped files that lose their pages: zeros and an error, not SIGBUS; and every other SIGBUS is as
// deadly as before.

#include "io/bus_guard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "io/mapped_source.h"
#include "io/sizes.h"
#include "sluice/error.h"
#include "support/temp_folder.h"

namespace sluice::io {
namespace {

using testing_support::TempFolder;
using testing_support::write_file;

constexpr std::size_t kMappedSize = 64 * kPage;

void shrink(const std::string& path, std::size_t size) {
  ASSERT_EQ(::truncate(path.c_str(), static_cast<off_t>(size)), 0);
}

std::ptrdiff_t count_zeros(std::span<const std::byte> bytes) {
  return std::count(bytes.begin(), bytes.end(), std::byte{0});
}

class BusGuardTest : public testing::Test {
 protected:
  BusGuardTest() {
    for (const std::string name : {"a", "b"}) {
      write_file(folder_ / name, std::vector<std::byte>(kMappedSize, std::byte{1}));
      files_.push_back(File::open_input(folder_ / name));
    }
  }

  std::unique_ptr<Source> open() {
    std::string reason;
    return open_mapped_source(pointers_to(files_), reason);
  }

  static std::span<const std::byte> read(Source& source, const ReadRange& range) {
    std::span<const std::byte> got;
    source.read(range, {}, [&](std::span<const std::byte> bytes, std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
      got = bytes;
    });
    return got;
  }

  // Maps a page beyond the end of a file, with no guard: reading it is a SIGBUS.
  const std::byte* foreign_page() {
    const int file = ::open((folder_ / "a").c_str(), O_RDONLY);
    void* memory = ::mmap(nullptr, kPage, PROT_READ, MAP_SHARED, file, kMappedSize);
    ::close(file);
    return static_cast<const std::byte*>(memory);
  }

  TempFolder folder_;
  std::vector<File> files_;
};

void expect_truncated(const Source& source, const ReadRange& range, const std::string& file,
                      std::size_t size) {
  try {
    source.check(range);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_truncated);
    EXPECT_EQ(error.context().file, file);
    EXPECT_EQ(error.context().offset, size);
    EXPECT_FALSE(error.context().cure.empty());
  }
}

TEST_F(BusGuardTest, AFileCutBetweenReadAndUseIsAnError) {
  const std::unique_ptr<Source> source = open();
  const ReadRange range{0, 8 * kPage, 16 * kPage};
  const std::span<const std::byte> bytes = read(*source, range);
  EXPECT_NO_THROW(source->check(range));
  shrink(folder_ / "a", 10 * kPage);
  EXPECT_EQ(count_zeros(bytes), 14 * kPage);
  expect_truncated(*source, range, folder_ / "a", 10 * kPage);
}

TEST_F(BusGuardTest, AFileCutWithinItsLastPageIsAnErrorToo) {
  const std::unique_ptr<Source> source = open();
  const ReadRange range{0, kMappedSize - kPage, kPage};
  const std::span<const std::byte> bytes = read(*source, range);
  shrink(folder_ / "a", kMappedSize - 100);
  EXPECT_EQ(count_zeros(bytes), 100) << "the system clears the rest of the page: no fault";
  expect_truncated(*source, range, folder_ / "a", kMappedSize - 100);
}

TEST_F(BusGuardTest, AFileCutAndGrownAgainIsNotTakenForWhole) {
  const std::unique_ptr<Source> source = open();
  const ReadRange range{0, 0, kMappedSize};
  const std::span<const std::byte> bytes = read(*source, range);
  shrink(folder_ / "a", 2 * kPage);
  EXPECT_EQ(count_zeros(bytes), kMappedSize - 2 * kPage);
  shrink(folder_ / "a", kMappedSize);
  try {
    source->check(range);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_read);
    EXPECT_EQ(error.context().offset, 2 * kPage);
  }
}

TEST_F(BusGuardTest, OtherFilesAndSourcesAreNotTouched) {
  const std::unique_ptr<Source> first = open();
  const std::unique_ptr<Source> second = open();
  const ReadRange whole_a{0, 0, kMappedSize};
  const ReadRange whole_b{1, 0, kMappedSize};
  const std::span<const std::byte> a1 = read(*first, whole_a);
  const std::span<const std::byte> a2 = read(*second, whole_a);
  const std::span<const std::byte> b = read(*first, whole_b);
  shrink(folder_ / "a", 0);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      EXPECT_EQ(count_zeros(i % 2 == 0 ? a1 : a2), static_cast<std::ptrdiff_t>(kMappedSize));
      EXPECT_EQ(count_zeros(b), 0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  expect_truncated(*first, whole_a, folder_ / "a", 0);
  expect_truncated(*second, whole_a, folder_ / "a", 0);
  EXPECT_NO_THROW(first->check(whole_b));
}

TEST_F(BusGuardTest, AnImportanceMatrixThatShrinksIsAnError) {
  const MappedFile file(File::open_input(folder_ / "b"));
  EXPECT_NO_THROW(file.check());
  shrink(folder_ / "b", kPage);
  EXPECT_EQ(count_zeros(file.bytes()), kMappedSize - kPage);
  EXPECT_THROW(file.check(), Error);
}

TEST_F(BusGuardTest, TheHandlerGoesWithTheLastGuard) {
  struct sigaction before {};
  struct sigaction during {};
  struct sigaction after {};
  ::sigaction(SIGBUS, nullptr, &before);
  {
    const BusGuard first{std::span<const std::byte>()};
    std::optional<BusGuard> second(std::span<const std::byte>{});
    BusGuard moved = *std::move(second);
    second.reset();
    ::sigaction(SIGBUS, nullptr, &during);
    EXPECT_NE(during.sa_sigaction, before.sa_sigaction);
  }
  ::sigaction(SIGBUS, nullptr, &after);
  EXPECT_EQ(after.sa_sigaction, before.sa_sigaction);
}

using BusGuardDeathTest = BusGuardTest;

TEST_F(BusGuardDeathTest, AForeignFaultStillKills) {
  const auto touch_foreign = [&] {
    ::signal(SIGBUS, SIG_DFL);  // a sanitizer may have its own
    const std::unique_ptr<Source> source = open();
    read(*source, {0, 0, kMappedSize});
    static_cast<void>(*const_cast<const volatile std::byte*>(foreign_page()));
  };
  EXPECT_EXIT(touch_foreign(), testing::KilledBySignal(SIGBUS), "");
}

TEST_F(BusGuardDeathTest, ASignalThatWasSentStillKills) {
  const auto send = [&] {
    ::signal(SIGBUS, SIG_DFL);
    const std::unique_ptr<Source> source = open();
    ::raise(SIGBUS);
  };
  EXPECT_EXIT(send(), testing::KilledBySignal(SIGBUS), "");
}

TEST_F(BusGuardDeathTest, AnotherHandlerStillHearsOfForeignFaults) {
  const auto touch_foreign = [&] {
    ::signal(SIGBUS, [](int) { ::_exit(17); });
    const std::unique_ptr<Source> source = open();
    const std::span<const std::byte> own = read(*source, {0, 0, kMappedSize});
    shrink(folder_ / "a", 0);
    if (count_zeros(own) != static_cast<std::ptrdiff_t>(kMappedSize)) ::_exit(18);
    shrink(folder_ / "a", kMappedSize);
    static_cast<void>(*const_cast<const volatile std::byte*>(foreign_page()));
  };
  EXPECT_EXIT(touch_foreign(), testing::ExitedWithCode(17), "");
}

}  // namespace
}  // namespace sluice::io
