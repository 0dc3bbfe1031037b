#include "io/sink.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/checked.h"
#include "base/interval_set.h"
#include "base/page_buffer.h"
#include "io/output_check.h"
#include "sluice/error.h"
#include "support/temp_folder.h"

namespace sluice::io {
namespace {

namespace fs = std::filesystem;
using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

constexpr std::uint64_t kPage = 4096;

// One piece, as most tests write.
void write_piece(Sink& sink, std::uint64_t offset, const std::vector<std::byte>& bytes) {
  const std::span<const std::byte> piece(bytes);
  sink.write_at(offset, {&piece, 1});
}

// The one file of most tests.
std::vector<SinkPart> one(const std::string& path, std::uint64_t size) {
  return {{.path = path, .begin = 0, .size = size}};
}

std::vector<std::byte> filled(std::size_t size, int value) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

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

ErrorCode check_code(const std::string& output, std::vector<UsedFile> others = {}) {
  try {
    check_output(output, output + ".part", one(output, 1), std::move(others));
  } catch (const Error& error) {
    EXPECT_FALSE(error.context().file.empty() || error.context().cure.empty()) << error.what();
    return error.code();
  }
  return ErrorCode::interrupted;  // accepted
}

TEST(Sink, AnOutputThatIsAnInputIsRefusedUnderAnyName) {
  const TempFolder folder;
  write_file(folder / "in", filled(3, 1));
  fs::create_hard_link(folder / "in", folder / "hard");
  fs::create_hard_link(folder / "in", folder / "x.part");
  for (const std::string name : {"in", "hard", "x", "./in"}) {
    EXPECT_EQ(check_code(folder / name, {{folder / "in", "the input"}}), ErrorCode::output_is_input)
        << name;
  }
  EXPECT_EQ(check_code(folder / "new", {{folder / "in", "the input"}}), ErrorCode::interrupted);
}

TEST(Sink, AnOutputThatIsNoFileIsRefused) {
  const TempFolder folder;
  fs::create_directory(folder / "folder");
  fs::create_symlink(folder / "nothing", folder / "dangling");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  fs::create_directory(folder / "x.part");
  write_file(folder / "old", filled(3, 1));
  for (const std::string& name : {folder / "folder", folder / "dangling", folder / "pipe",
                                  folder / "x", folder / "new/", std::string("/dev/null")}) {
    EXPECT_EQ(check_code(name), ErrorCode::output_open) << name;
  }
  EXPECT_EQ(check_code(folder / "old"), ErrorCode::interrupted);
}

TEST(UsedFiles, OneThatIsWrittenIsNoOther) {
  const TempFolder folder;
  write_file(folder / "old", filled(3, 1));
  fs::create_symlink(folder / "old", folder / "soft");
  const auto code = [](const UsedFile& first, const UsedFile& second) {
    try {
      const std::vector<UsedFile> both = {first, second};
      refuse_shared_files(both);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::interrupted;  // accepted
  };
  const UsedFile old{folder / "old", "the matrix"};
  const UsedFile report{folder / "soft", "the report", true};
  EXPECT_EQ(code(old, report), ErrorCode::output_is_input);
  EXPECT_EQ(code(report, old), ErrorCode::output_is_input);
  EXPECT_EQ(code({folder / "new", "the trace", true}, {folder / "./new", "the report", true}),
            ErrorCode::usage)
      << "before there is a file";
  EXPECT_EQ(code(old, {folder / "soft", "the input"}), ErrorCode::interrupted);
  EXPECT_EQ(code({"/dev/null", "the trace", true}, {"/dev/null", "the report", true}),
            ErrorCode::interrupted);
}

// Three files, with room between two.
constexpr std::uint64_t kPlace = 1 << 20;

std::vector<SinkPart> three(const TempFolder& folder) {
  return {{folder / "out-1", 0, 100},
          {folder / "out-2", kPlace, 50},
          {folder / "out-3", 2 * kPlace, 70}};
}

void write_three(Sink& sink) {
  write_piece(sink, 2 * kPlace, filled(70, 3));
  write_piece(sink, 0, filled(100, 1));
  write_piece(sink, kPlace + 10, filled(40, 2));
  write_piece(sink, kPlace, filled(10, 2));
}

void expect_three(const TempFolder& folder) {
  EXPECT_EQ(read_file(folder / "out-1"), filled(100, 1));
  EXPECT_EQ(read_file(folder / "out-2"), filled(50, 2));
  EXPECT_EQ(read_file(folder / "out-3"), filled(70, 3));
}

std::size_t files_in(const TempFolder& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder / "."), fs::directory_iterator()));
}

// What is there under the working names may be anybody's until the run has begun.
TEST(SinkOfParts, WhatIsThereStaysUntilTheStart) {
  const TempFolder folder;
  for (const char* name : {"out.part", "out.part-00002", "out.part-00003"}) {
    if (std::string(name) != "out.part") write_file(folder / name, filled(9, 9));
    { Sink sink(folder / "out.part", three(folder)); }
    EXPECT_EQ(fs::exists(folder / "out.part"), false) << "made as the lock only";
  }
  write_file(folder / "out.part", filled(9, 9));
  { Sink sink(folder / "out.part", three(folder)); }
  EXPECT_EQ(files_in(folder), 3u);
}

TEST(SinkOfParts, AppearsUnderItsNamesOnlyWhenCommitted) {
  const TempFolder folder;
  write_file(folder / "out-1", filled(3, 7));
  write_file(folder / "out-2", filled(3, 7));
  {
    Sink sink(folder / "out.part", three(folder));
    sink.start();
    write_three(sink);
    EXPECT_EQ(read_file(folder / "out-1"), filled(3, 7)) << "the older file must stay until then";
    EXPECT_TRUE(fs::exists(folder / "out.part"));
    EXPECT_TRUE(fs::exists(folder / "out.part-00002"));
    std::vector<std::byte> back(20);
    EXPECT_EQ(sink.read_at(kPlace + 40, back), 10u) << "a file has an end";
    sink.commit();
  }
  expect_three(folder);
  EXPECT_EQ(files_in(folder), 3u);
}

TEST(SinkOfParts, LeavesNothingBehindWithoutCommit) {
  const TempFolder folder;
  {
    Sink sink(folder / "out.part", three(folder));
    sink.start();
    write_three(sink);
  }
  EXPECT_EQ(files_in(folder), 0u);
}

// Wherever the giving of names ended, all is found, and until the last step no first file.
TEST(SinkOfParts, NamesThatWereGivenAreTakenBack) {
  for (int named = 0; named < 3; ++named) {
    const TempFolder folder;
    {
      Sink sink(folder / "out.part", three(folder));
      sink.start();
      write_three(sink);
      sink.keep();
    }
    if (named > 0) fs::rename(folder / "out.part-00003", folder / "out-3");
    if (named > 1) fs::rename(folder / "out.part-00002", folder / "out-2");
    Sink sink(folder / "out.part", three(folder));
    EXPECT_TRUE(sink.found());
    EXPECT_FALSE(sink.has_names());
    EXPECT_EQ(sink.first_unfit(), named == 0   ? ""
                                  : named == 1 ? folder / "out.part-00003"
                                               : folder / "out.part-00002");
    sink.take_back();
    EXPECT_EQ(sink.first_unfit(), "");
    sink.resume();
    sink.commit();
    EXPECT_TRUE(sink.has_names());
    expect_three(folder);
    EXPECT_EQ(files_in(folder), 3u);
  }
}

// A folder that has the second file's name.
TEST(SinkOfParts, ANameThatCannotBeGivenLeavesNoFirstFile) {
  for (const bool keep : {false, true}) {
    const TempFolder folder;
    write_file(folder / "out-1", filled(3, 7));
    fs::create_directory(folder / "out-2");
    {
      Sink sink(folder / "out.part", three(folder));
      sink.start();
      write_three(sink);
      if (keep) sink.keep();
      EXPECT_THROW(sink.commit(), Error);
    }
    EXPECT_FALSE(fs::exists(folder / "out-1")) << "an older first file would lead to the new third";
    EXPECT_EQ(files_in(folder), keep ? 4u : 1u);
    if (!keep) continue;
    fs::remove(folder / "out-2");
    Sink sink(folder / "out.part", three(folder));
    sink.take_back();
    sink.commit();
    expect_three(folder);
  }
}

TEST(SinkOfParts, LeftoversOfMorePartsGo) {
  const TempFolder folder;
  for (const char* name : {"out.part", "out.part-00003", "out.part-00004", "out.part-00005"}) {
    write_file(folder / name, filled(200, 9));
  }
  Sink sink(folder / "out.part", three(folder));
  EXPECT_EQ(sink.first_unfit(), folder / "out.part");
  sink.remove_surplus(5);
  sink.start();
  EXPECT_EQ(files_in(folder), 3u);
  write_three(sink);
  sink.commit();
  expect_three(folder);
}

// Together they are too much for the disk, each alone is not: none is begun.
TEST(SinkOfParts, TheSpaceForAllIsCheckedFirst) {
  const TempFolder folder;
  const std::uint64_t size = fs::space(folder / ".").available / 5 * 4;
  Sink sink(folder / "out.part",
            {{folder / "1", 0, size}, {folder / "2", align_up(size + 1, kPlace), size}});
  try {
    sink.start();
    FAIL() << "more than the disk holds was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::output_no_space);
  }
  EXPECT_EQ(fs::file_size(folder / "out.part"), 0u);
}

TEST(SinkOfParts, MorePartsThanFilesMayBeOpen) {
  const TempFolder folder;
  constexpr std::size_t kParts = 4 * Sink::kMostOpen;
  std::vector<SinkPart> parts;
  for (std::size_t i = 0; i < kParts; ++i) {
    parts.push_back({folder / ("out-" + std::to_string(i)), i * kPlace, 10});
  }
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  const rlimit few{2 * Sink::kMostOpen + 20, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  Sink sink(folder / "out.part", parts);
  sink.start();
  for (int half : {5, 0}) {
    for (std::size_t i = 0; i < kParts; ++i) {
      write_piece(sink, i * kPlace + static_cast<std::uint64_t>(half),
                  filled(5, static_cast<int>(i)));
    }
  }
  sink.commit();
  ::setrlimit(RLIMIT_NOFILE, &old);
  for (std::size_t i = 0; i < kParts; ++i) {
    EXPECT_EQ(read_file(parts[i].path), filled(10, static_cast<int>(i)));
  }
}

TEST(SinkOfParts, AnyPartThatIsAnInputIsRefused) {
  const TempFolder folder;
  write_file(folder / "in", filled(3, 1));
  const auto check = [&] {
    check_output(folder / "out", folder / "out.part", three(folder),
                 {{folder / "in", "the input"}});
  };
  EXPECT_NO_THROW(check());
  for (const char* name : {"out-1", "out-3", "out.part", "out.part-00002"}) {
    fs::create_hard_link(folder / "in", folder / name);
    EXPECT_THROW(check(), Error) << name;
    fs::remove(folder / name);
  }
}

}  // namespace
}  // namespace sluice::io
