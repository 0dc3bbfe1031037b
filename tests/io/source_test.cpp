// Every way of reading gives the bytes of the file, wherever the range lies, and says what is wrong
// when the file does not have them.

#include "io/source.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <random>

#include "base/page_buffer.h"
#include "io/output_file.h"
#include "sluice/error.h"
#include "support/temp_folder.h"

namespace sluice::io {
namespace {

using testing_support::TempFolder;
using testing_support::write_file;

constexpr std::size_t kFileSize = (3u << 20) + 1234;  // no multiple of a page

std::vector<std::byte> random_bytes(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

// Waits for reads that may finish on another thread.
class Completion {
 public:
  ReadDone done() {
    return [this](std::span<const std::byte> bytes, std::exception_ptr error) {
      const std::lock_guard lock(mutex_);
      bytes_ = bytes;
      error_ = std::move(error);
      finished_ = true;
      changed_.notify_all();
    };
  }
  std::span<const std::byte> wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return finished_; });
    if (error_) std::rethrow_exception(error_);
    return bytes_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool finished_ = false;
  std::span<const std::byte> bytes_;
  std::exception_ptr error_;
};

class SourceTest : public testing::TestWithParam<IoMode> {
 protected:
  SourceTest() : contents_(random_bytes(kFileSize, 1)), other_(random_bytes(70000, 2)) {
    write_file(folder_ / "a", contents_);
    write_file(folder_ / "b", other_);
    files_.push_back(File::open_input(folder_ / "a"));
    files_.push_back(File::open_input(folder_ / "b"));
  }

  TempFolder folder_;
  std::vector<std::byte> contents_;
  std::vector<std::byte> other_;
  std::vector<File> files_;
};

TEST_P(SourceTest, GivesTheBytesOfAnyRange) {
  const OpenedSource opened = open_source(GetParam(), pointers_to(files_));
  const PageBuffer buffer(kFileSize + Source::kBufferSlack + 4096);
  const std::vector<ReadRange> ranges = {{0, 0, 1},       {0, 0, kFileSize}, {0, kFileSize - 1, 1},
                                         {0, 4096, 4096}, {0, 4095, 2},      {0, 1, kFileSize - 2},
                                         {1, 0, 70000},   {1, 69999, 1},     {0, 1u << 20, 12345}};
  for (const ReadRange& range : ranges) {
    Completion completion;
    opened.source->read(range, buffer.bytes(), completion.done());
    const std::span<const std::byte> got = completion.wait();
    const std::vector<std::byte>& file = range.part == 0 ? contents_ : other_;
    ASSERT_EQ(got.size(), range.size);
    opened.source->fill(range, got);
    EXPECT_TRUE(std::equal(got.begin(), got.end(), file.begin() + range.offset))
        << range.part << " " << range.offset << " " << range.size;
    opened.source->release(range);
  }
}

TEST_P(SourceTest, ManyReadsAtOnce) {
  const OpenedSource opened = open_source(GetParam(), pointers_to(files_));
  constexpr std::size_t kReads = 64;
  constexpr std::size_t kSize = 40000;
  std::vector<PageBuffer> buffers;
  std::vector<Completion> completions(kReads);
  for (std::size_t i = 0; i < kReads; ++i) {
    buffers.emplace_back(kSize + Source::kBufferSlack);
    opened.source->read({0, i * kSize, kSize}, buffers.back().bytes(), completions[i].done());
  }
  for (std::size_t i = 0; i < kReads; ++i) {
    const std::span<const std::byte> got = completions[i].wait();
    opened.source->fill({0, i * kSize, kSize}, got);
    EXPECT_TRUE(std::equal(got.begin(), got.end(), contents_.begin() + i * kSize)) << i;
    opened.source->release({0, i * kSize, kSize});
  }
}

TEST_P(SourceTest, AFileThatShrankIsAnErrorThatNamesIt) {
  const OpenedSource opened = open_source(GetParam(), pointers_to(files_));
  const PageBuffer buffer(kFileSize + Source::kBufferSlack);
  for (const std::uint64_t left : {std::uint64_t{1000}, std::uint64_t{8192}, std::uint64_t{0}}) {
    ASSERT_EQ(::truncate((folder_ / "a").c_str(), static_cast<off_t>(left)), 0);
    for (const ReadRange& range : {ReadRange{0, 500, 100000}, ReadRange{0, 1u << 20, 4096}}) {
      Completion completion;
      opened.source->read(range, buffer.bytes(), completion.done());
      try {
        completion.wait();
        FAIL() << "no error";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::input_truncated);
        EXPECT_EQ(error.context().file, folder_ / "a");
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, SourceTest,
                         testing::Values(IoMode::automatic, IoMode::mmap, IoMode::async,
                                         IoMode::plain),
                         [](const auto& test) {
                           switch (test.param) {
                             case IoMode::mmap:
                               return "mmap";
                             case IoMode::async:
                               return "async";
                             case IoMode::plain:
                               return "read";
                             default:
                               return "automatic";
                           }
                         });

TEST(File, WhatCannotBeOpenedIsAnErrorWithACure) {
  const TempFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);  // with nobody who writes to it
  for (const std::string& path : {folder / "none", folder / ".", folder / "pipe"}) {
    try {
      File::open_input(path);
      FAIL() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input_open);
      EXPECT_EQ(error.context().file, path);
      EXPECT_FALSE(error.context().cure.empty());
    }
  }
}

TEST(File, TheLimitOfOpenFilesHasItsOwnCure) {
  const TempFolder folder;
  write_file(folder / "in", std::vector<std::byte>(3));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto complaint = [](const auto& open) -> std::string {
    try {
      open();
      return "none";
    } catch (const Error& error) {
      return error.what();
    }
  };
  const std::string input = complaint([&] { File::open_input(folder / "in"); });
  const std::string output = complaint([&] { OutputFile::open(folder / "out"); });
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_NE(input.find("ulimit -n"), std::string::npos) << input;
  EXPECT_NE(output.find("ulimit -n"), std::string::npos) << output;
}

}  // namespace
}  // namespace sluice::io
