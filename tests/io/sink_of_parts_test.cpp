// Outputs of several files.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include "base/checked.h"
#include "io/output_check.h"
#include "io/sink.h"
#include "io/sink_pieces.h"
#include "sluice/error.h"
#include "support/temp_folder.h"

namespace sluice::io {
namespace {

namespace fs = std::filesystem;
using namespace sink_tests;
using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

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
