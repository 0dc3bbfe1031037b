// Names under which an output cannot grow, or only under another: too long, taken, or no file's.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "api/quantize_fixture.h"
#include "base/text.h"
#include "sluice/forecast.h"

namespace sluice {
namespace {

class OutputNamesTest : public QuantizeTest {
 protected:
  /// The error of a run with this output; it must be one of output_open.
  Error refusal(const std::string& output, bool restart = false) {
    QuantizeOptions options = options_for(model_, output, "Q8_0", true);
    options.restart = restart;
    try {
      quantize(options, silent());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::output_open) << error.what();
      return error;
    }
    ADD_FAILURE() << output << " is not refused";
    return Error(ErrorCode::usage, "none");
  }

  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_ / "."), fs::directory_iterator()));
  }
};

TEST_F(OutputNamesTest, WhatAnotherProgramIsWritingStays) {
  const Bytes foreign(5000, std::byte{7});
  for (const std::string name : {".part", ".part.journal"}) {
    write_file(output_ + name, foreign);
    const std::size_t before = files();
    for (const bool restart : {false, true}) {
      EXPECT_EQ(refusal(output_, restart).context().file, output_ + name);
      EXPECT_TRUE(read_file(output_ + name) == foreign);
      EXPECT_EQ(files(), before) << "nothing is left beside it";
    }
    fs::remove(output_ + name);
  }
  // Nor is a journal that speaks of something else a reason to.
  write_file(output_ + ".part", foreign);
  write_file(output_ + ".part.journal", foreign);
  EXPECT_EQ(refusal(output_).context().file, output_ + ".part");
  EXPECT_TRUE(read_file(output_ + ".part") == foreign);
  EXPECT_TRUE(read_file(output_ + ".part.journal") == foreign);
}

TEST_F(OutputNamesTest, ThePlanTellsOfIt) {
  write_file(output_ + ".part", Bytes(5000));
  const Forecast seen = forecast(options_for(model_, output_, "Q8_0", true), {.estimate = false});
  EXPECT_FALSE(seen.earlier.found);
  EXPECT_NE(seen.earlier.refused.find(output_ + ".part"), std::string::npos);
}

// 255 bytes are what file systems take. Runs whose names are cut must find what they left, and no
// two outputs may meet.
TEST_F(OutputNamesTest, EveryNameThatAFileCanHaveWorks) {
  quantize(options_for(model_, output_, "Q8_0", true), silent());
  const Bytes expected = read_file(output_);
  fs::remove(output_);
  for (const std::size_t size : {220, 235, 242, 243, 250, 255}) {
    for (const std::string text : {"n", "ä"}) {
      std::string name;
      while (name.size() + text.size() + 5 <= size) name += text;
      const std::string output = folder_ / (name + ".gguf");
      const QuantizeOptions options = options_for(model_, output, "Q8_0", true);
      const std::string work = fs::path(working_file(options)).filename();
      EXPECT_LE(work.size() + std::string(".journal.damaged-9").size(), 255u);
      EXPECT_TRUE(is_plain_utf8(work)) << work;
      QuantizeOptions other = options;
      other.output[other.output.size() - 6] ^= 1;
      EXPECT_NE(working_file(options), working_file(other));
      quantize(options, silent());
      EXPECT_TRUE(read_file(output) == expected);
      fs::remove(output);
      EXPECT_EQ(files(), 2u) << "model and matrix";
    }
  }
}

TEST_F(OutputNamesTest, LongNamesOfSplitOutputsToo) {
  QuantizeOptions options = options_for(model_, "", "Q8_0", true);
  options.split.max_tensors = 4;
  const std::string ending = "-00001-of-00003.gguf";
  options.output = folder_ / (std::string(255 - ending.size(), 'n') + ".gguf");
  EXPECT_EQ(quantize(options, silent()).parts.size(), 3u);
  options.output.insert(options.output.size() - 5, "nn");
  try {
    quantize(options, silent());
    ADD_FAILURE() << "no file has such a name";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::output_open);
    EXPECT_NE(error.context().cure.find("Shorten the output's name by 2"), std::string::npos)
        << error.what();
  }
}

TEST_F(OutputNamesTest, NamesThatAreNoFilesHaveACureThatFits) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  fs::create_directory(folder_ / "directory");
  fs::create_symlink("/dev/stdout", folder_ / "to-stdout");
  fs::create_symlink("/dev/null", folder_ / "to-null");
  fs::create_symlink("nowhere", folder_ / "dangling");
  fs::create_symlink("directory", folder_ / "to-directory");
  const std::string plan = "sluice plan";
  for (const auto& [name, cure] : std::vector<std::pair<std::string, std::string>>{
           {"/dev/stdout", plan},
           {"/dev/stderr", plan},
           {"/dev/fd/1", plan},
           {"/proc/self/fd/1", plan},
           {"/dev/null", plan},
           {"/dev/full", plan},
           {folder_ / "fifo", plan},
           {folder_ / "to-stdout", plan},
           {folder_ / "to-null", plan},
           {folder_ / "dangling", "Remove the link"},
           {folder_ / "directory", "Add the name"},
           {folder_ / "to-directory", "Add the name"},
           {"/dev", "Add the name"},
           {std::string(folder_ / "directory") + "/", "Add the name"},
           {folder_ / std::string(256, 'n'), "Shorten the output's name by 1"}}) {
    const Error error = refusal(name);
    EXPECT_NE(error.context().cure.find(cure), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace sluice
