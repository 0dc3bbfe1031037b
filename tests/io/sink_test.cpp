#include "io/sink.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <span>
#include <vector>

#include "base/interval_set.h"
#include "base/page_buffer.h"
#include "sluice/error.h"
#include "support/temp_folder.h"

namespace sluice::io {
namespace {

namespace fs = std::filesystem;
using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

// One piece, as most tests write.
void write_piece(Sink& sink, std::uint64_t offset, const std::vector<std::byte>& bytes) {
  const std::span<const std::byte> piece(bytes);
  sink.write_at(offset, {&piece, 1});
}

std::vector<std::byte> filled(std::size_t size, int value) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

TEST(Sink, AppearsUnderItsNameOnlyWhenCommitted) {
  const TempFolder folder;
  const std::string path = folder / "out";
  write_file(path, filled(3, 7));
  {
    Sink sink(path);
    sink.start(100);
    write_piece(sink, 50, filled(50, 2));
    write_piece(sink, 0, filled(10, 1));
    EXPECT_EQ(read_file(path), filled(3, 7)) << "the older file must stay until then";
    EXPECT_TRUE(fs::exists(path + ".part"));
    sink.commit();
  }
  EXPECT_FALSE(fs::exists(path + ".part"));
  std::vector<std::byte> expected = filled(100, 2);
  std::fill(expected.begin(), expected.begin() + 50, std::byte{0});  // what was not written
  std::fill(expected.begin(), expected.begin() + 10, std::byte{1});
  EXPECT_EQ(read_file(path), expected);
}

TEST(Sink, LeavesNothingBehindWithoutCommit) {
  const TempFolder folder;
  {
    Sink sink(folder / "out");
    sink.start(100);
    write_piece(sink, 0, filled(10, 1));
  }
  EXPECT_FALSE(fs::exists(folder / "out"));
  EXPECT_FALSE(fs::exists(folder / "out.part"));
}

TEST(Sink, MoreThanTheDiskHoldsIsRefusedBeforeWork) {
  const TempFolder folder;
  try {
    Sink sink(folder / "out");
    sink.start(std::uint64_t{1} << 60);
    FAIL() << "an exabyte was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::output_no_space);
    EXPECT_EQ(exit_status(error.code()), 4);
  }
  EXPECT_FALSE(fs::exists(folder / "out.part"));
}

TEST(Sink, AFolderThatIsNotThereIsAnError) {
  const TempFolder folder;
  try {
    Sink sink(folder / "no/such/out");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::output_open);
  }
}

// A write that the kernel refuses half-way, by way of the file size limit.
TEST(Sink, AWriteThatFailsIsAnErrorThatNamesTheFile) {
  const TempFolder folder;
  Sink sink(folder / "out");
  sink.start(1);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{2048, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  try {
    write_piece(sink, 0, filled(4095, 1));
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::output_write);
    EXPECT_EQ(error.context().file, folder / "out.part");
    EXPECT_EQ(error.context().offset, 2048u);
  }
  ::setrlimit(RLIMIT_FSIZE, &old);
}

// Pieces in any memory and of any size, past the page cache or through it, come out as one.
TEST(Sink, PiecesLieOneAfterTheOther) {
  const TempFolder folder;
  constexpr std::size_t kSize = 100'000;
  PageBuffer pages(1 << 17);
  for (std::size_t i = 0; i < pages.bytes().size(); ++i) {
    pages.bytes()[i] = static_cast<std::byte>(i * 7 % 251);
  }
  std::vector<std::byte> expected(kSize);
  Sink sink(folder / "out");
  sink.start(kSize);
  const auto write = [&](std::uint64_t offset, std::vector<Interval> pieces) {
    std::vector<std::span<const std::byte>> spans;
    std::uint64_t at = offset;
    for (const Interval piece : pieces) {
      spans.push_back(pages.bytes().subspan(piece.begin, piece.size()));
      std::copy(spans.back().begin(), spans.back().end(),
                expected.begin() + static_cast<std::ptrdiff_t>(at));
      at += piece.size();
    }
    sink.write_at(offset, spans);
  };
  write(8192, {{4096, 12288}, {0, 4096}, {40960, 49152}});  // whole pages
  write(0, {{1, 3001}, {5000, 10192}});                     // anything
  write(28672, {{8192, 12288}, {12288, 12300}});            // the first is a page, the last is not
  sink.sync();
  write(kSize - 10, {{77, 87}});
  std::vector<std::byte> back(5);
  EXPECT_EQ(sink.read_at(kSize - 5, back), 5u);
  EXPECT_TRUE(std::equal(back.begin(), back.end(), expected.end() - 5));
  sink.commit();
  EXPECT_EQ(read_file(folder / "out"), expected);
}

TEST(Sink, ASecondRunIsRefusedWhileTheFirstHoldsTheFile) {
  const TempFolder folder;
  {
    Sink first(folder / "out");
    first.start(10);
    try {
      Sink second(folder / "out");
      ADD_FAILURE() << "two runs write one file";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::output_open);
      EXPECT_NE(std::string(error.what()).find("another run"), std::string::npos);
    }
    EXPECT_TRUE(fs::exists(folder / "out.part")) << "the refused one must leave it alone";
    write_piece(first, 0, filled(10, 3));
    first.commit();
  }
  EXPECT_EQ(read_file(folder / "out"), filled(10, 3));
  EXPECT_NO_THROW(Sink(folder / "out"));
}

TEST(Sink, WhatIsKeptIsFoundAgain) {
  const TempFolder folder;
  {
    Sink sink(folder / "out");
    EXPECT_EQ(sink.found_size(), std::nullopt);
    sink.start(100);
    write_piece(sink, 0, filled(100, 5));
    sink.keep();
  }
  Sink sink(folder / "out");
  EXPECT_EQ(sink.found_size(), 100u);
  sink.resume(100);
  write_piece(sink, 90, filled(10, 6));
  sink.commit();
  std::vector<std::byte> expected = filled(100, 5);
  std::fill(expected.end() - 10, expected.end(), std::byte{6});
  EXPECT_EQ(read_file(folder / "out"), expected);
}

TEST(Sink, AnOutputThatIsAnInputIsRefusedUnderAnyName) {
  const TempFolder folder;
  write_file(folder / "in", filled(3, 1));
  fs::create_hard_link(folder / "in", folder / "hard");
  fs::create_symlink(folder / "in", folder / "soft");
  fs::create_hard_link(folder / "in", folder / "x.part");
  std::vector<File> inputs;
  inputs.push_back(File::open_input(folder / "in"));
  for (const std::string name : {"in", "hard", "soft", "x", "./in"}) {
    try {
      refuse_output_over_input(folder / name, inputs);
      ADD_FAILURE() << name << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::output_is_input);
    }
  }
  EXPECT_NO_THROW(refuse_output_over_input(folder / "new", inputs));
}

}  // namespace
}  // namespace sluice::io
