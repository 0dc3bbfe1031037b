#include "io/sink.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "sluice/error.h"
#include "support/temp_folder.h"

namespace sluice::io {
namespace {

namespace fs = std::filesystem;
using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

std::vector<std::byte> filled(std::size_t size, int value) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

TEST(Sink, AppearsUnderItsNameOnlyWhenCommitted) {
  const TempFolder folder;
  const std::string path = folder / "out";
  write_file(path, filled(3, 7));
  {
    Sink sink(path, 100);
    sink.write_at(50, filled(50, 2));
    sink.write_at(0, filled(10, 1));
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
    Sink sink(folder / "out", 100);
    sink.write_at(0, filled(10, 1));
  }
  EXPECT_FALSE(fs::exists(folder / "out"));
  EXPECT_FALSE(fs::exists(folder / "out.part"));
}

TEST(Sink, MoreThanTheDiskHoldsIsRefusedBeforeWork) {
  const TempFolder folder;
  try {
    Sink sink(folder / "out", std::uint64_t{1} << 60);
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
    Sink sink(folder / "no/such/out", 10);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::output_open);
  }
}

// A write that the kernel refuses half-way, by way of the file size limit.
TEST(Sink, AWriteThatFailsIsAnErrorThatNamesTheFile) {
  const TempFolder folder;
  Sink sink(folder / "out", 4096);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{2048, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  try {
    sink.write_at(0, filled(4096, 1));
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::output_write);
    EXPECT_EQ(error.context().file, folder / "out.part");
    EXPECT_EQ(error.context().offset, 2048u);
  }
  ::setrlimit(RLIMIT_FSIZE, &old);
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
