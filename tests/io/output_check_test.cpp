#include "io/output_check.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "io/sink_pieces.h"
#include "sluice/error.h"
#include "support/temp_folder.h"

namespace sluice::io {
namespace {

namespace fs = std::filesystem;
using namespace sink_tests;
using testing_support::TempFolder;
using testing_support::write_file;

ErrorCode check_code(const std::string& output, std::vector<UsedFile> others = {}) {
  try {
    check_output(output, output + ".part", one(output, 1), std::move(others));
  } catch (const Error& error) {
    EXPECT_FALSE(error.context().file.empty() || error.context().cure.empty()) << error.what();
    return error.code();
  }
  return ErrorCode::interrupted;  // accepted
}

TEST(OutputCheck, AnOutputThatIsAnInputIsRefusedUnderAnyName) {
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

TEST(OutputCheck, AnOutputThatIsNoFileIsRefused) {
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

}  // namespace
}  // namespace sluice::io
