#include "io/sink.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/interval_set.h"
#include "base/page_buffer.h"
#include "io/sink_pieces.h"
#include "io/sizes.h"
#include "sluice/error.h"
#include "support/temp_folder.h"

namespace sluice::io {
namespace {

namespace fs = std::filesystem;
using namespace sink_tests;
using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

// More files than are open at once, so that some are closed after writes that were only started.
TEST(Sink, WritesThatAreStartedAreThereAfterTheCommit) {
  const TempFolder folder;
  constexpr std::size_t kParts = 2 * Sink::kMostOpen;
  constexpr std::uint64_t kSize = 3 * kPage;
  std::vector<SinkPart> parts;
  for (std::size_t no = 0; no < kParts; ++no) {
    parts.push_back({folder / std::to_string(no), 2 * no * kSize, kSize});
  }
  Sink sink(folder / "work", parts);
  sink.start();
  for (const std::size_t page : {2, 0, 1}) {
    for (std::size_t no = 0; no < kParts; ++no) {
      const auto bytes = std::make_shared<PageBuffer>(kPage);
      std::ranges::fill(bytes->bytes(), std::byte(3 * no + page));
      sink.start_write(parts[no].begin + page * kPage, {bytes->bytes()}, bytes);
    }
  }
  sink.commit();
  for (std::size_t no = 0; no < kParts; ++no) {
    const std::vector<std::byte> file = read_file(parts[no].path);
    ASSERT_EQ(file.size(), kSize);
    for (std::size_t at = 0; at < kSize; at += kPage / 2) {
      EXPECT_EQ(file[at], std::byte(3 * no + at / kPage)) << no << " " << at;
    }
  }
}

TEST(Sink, AppearsUnderItsNameOnlyWhenCommitted) {
  const TempFolder folder;
  const std::string path = folder / "out";
  write_file(path, filled(3, 7));
  {
    Sink sink(path + ".part", one(path, 100));
    sink.start();
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
    Sink sink(folder / "out.part", one(folder / "out", 100));
    sink.start();
    write_piece(sink, 0, filled(10, 1));
  }
  EXPECT_FALSE(fs::exists(folder / "out"));
  EXPECT_FALSE(fs::exists(folder / "out.part"));
}

TEST(Sink, MoreThanTheDiskHoldsIsRefusedBeforeWork) {
  const TempFolder folder;
  try {
    Sink sink(folder / "out.part", one(folder / "out", std::uint64_t{1} << 60));
    sink.start();
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
    Sink sink(folder / "no/such/out.part", one(folder / "no/such/out", 1));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::output_open);
  }
}

// A write that the kernel refuses half-way, by way of the file size limit.
TEST(Sink, AWriteThatFailsIsAnErrorThatNamesTheFile) {
  const TempFolder folder;
  Sink sink(folder / "out.part", one(folder / "out", 1));
  sink.start();
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
  Sink sink(folder / "out.part", one(folder / "out", kSize));
  sink.start();
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
    Sink first(folder / "out.part", one(folder / "out", 10));
    first.start();
    try {
      Sink second(folder / "out.part", one(folder / "out", 20));
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
  EXPECT_NO_THROW(Sink(folder / "out.part", one(folder / "out", 10)));
}

TEST(Sink, WhatIsKeptIsFoundAgain) {
  const TempFolder folder;
  {
    Sink sink(folder / "out.part", one(folder / "out", 100));
    EXPECT_FALSE(sink.found());
    sink.start();
    write_piece(sink, 0, filled(100, 5));
    sink.keep();
  }
  Sink sink(folder / "out.part", one(folder / "out", 100));
  EXPECT_TRUE(sink.found());
  EXPECT_EQ(sink.first_unfit(), "");
  sink.resume();
  write_piece(sink, 90, filled(10, 6));
  sink.commit();
  std::vector<std::byte> expected = filled(100, 5);
  std::fill(expected.end() - 10, expected.end(), std::byte{6});
  EXPECT_EQ(read_file(folder / "out"), expected);
}

TEST(Sink, TheRightsOfTheFileThatIsReplacedStay) {
  const TempFolder folder;
  const auto rights = [&](const std::string& name) {
    return static_cast<unsigned>(fs::status(folder / name).permissions());
  };
  const mode_t before = ::umask(027);
  for (const auto& [older, made] : std::vector<std::pair<unsigned, unsigned>>{
           {0, 0640}, {0600, 0600}, {0444, 0444}, {0755, 0755}}) {
    fs::remove(folder / "out");
    if (older != 0) {
      write_file(folder / "out", filled(3, 1));
      fs::permissions(folder / "out", static_cast<fs::perms>(older));
    }
    Sink sink(folder / "out.part", one(folder / "out", 10));
    sink.start();
    EXPECT_EQ(rights("out.part"), made | 0600) << "a later run goes on writing to it";
    sink.commit();
    EXPECT_EQ(rights("out"), made);
  }
  ::umask(before);
}

TEST(Sink, WhatAnOlderOutputWouldFreeIsTold) {
  const TempFolder folder;
  write_file(folder / "out", filled(3 << 20, 1));
  try {
    Sink sink(folder / "out.part", one(folder / "out", std::uint64_t{1} << 50));
    sink.require_space();
    FAIL() << "a pebibyte was accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("needs 1024.0 TiB"), std::string::npos)
        << error.what();
    EXPECT_NE(error.context().cure.find("would free 3.0 MiB"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace sluice::io
