// The program killed at random moments, over and over: the output is the same in the end.
//
// SLUICE_KILLS sets how many kills there are at least (default 200), SLUICE_SEED when they come.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/gguf_builder.h"
#include "support/process.h"
#include "support/seed.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

int wanted_kills() {
  const char* text = std::getenv("SLUICE_KILLS");
  return text != nullptr ? std::atoi(text) : 200;
}

/// Some ten megabytes of BF16 with tensors of all sizes.
void write_model(const std::string& path, unsigned seed) {
  std::mt19937 random(seed);
  GgufBuilder builder;
  builder.string("general.architecture", "llama").u32("llama.block_count", 30);
  for (int i = 0; i < 30; ++i) {
    const std::uint64_t columns = 32 * (1 + random() % 40);
    const std::uint64_t rows = i % 5 == 2 ? 1 : 1 + random() % 900;
    Bytes data(columns * rows * 2);
    for (std::size_t k = 0; k < data.size(); k += 2) {
      data[k] = static_cast<std::byte>(random());
      data[k + 1] = static_cast<std::byte>(0x3d | (random() & 0x82));
    }
    builder.tensor("blk." + std::to_string(i) + ".ffn_up.weight", {columns, rows}, 30, data);
  }
  write_file(path, builder.build());
}

using Files = std::map<std::string, Bytes>;  // by name

Files files_in(const std::string& folder) {
  Files files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    files[entry.path().filename()] = read_file(entry.path());
  }
  return files;
}

struct Config {
  std::string name;
  std::vector<std::string> options;
  bool made_model;  // else the trained one, with its importance matrix
  std::string type;
  std::string threads;
};

class Kill : public testing::TestWithParam<Config> {
 protected:
  std::vector<std::string> command(const std::string& output) const {
    std::vector<std::string> words = {SLUICE_PROGRAM, "quantize",     "--memory",
                                      "96M",          "--checkpoint", "0"};
    words.insert(words.end(), GetParam().options.begin(), GetParam().options.end());
    if (!GetParam().made_model) {
      words.insert(words.end(), {"--imatrix", SLUICE_TEST_DATA "/imatrix/tiny-llama.imatrix.gguf"});
    }
    words.insert(words.end(), {model_, output, GetParam().type, GetParam().threads});
    return words;
  }

  void SetUp() override {
    fs::create_directory(folder_ / "whole");
    fs::create_directory(out_);
    model_ = SLUICE_TEST_DATA "/model/tiny-llama-f16.gguf";
    if (GetParam().made_model) {
      model_ = folder_ / "model.gguf";
      write_model(model_, 5);
    }
  }

  /// Starts the command and kills it after a while, or sees it end. Whether it was killed.
  bool run_and_kill(std::chrono::microseconds after) {
    const pid_t child = ::fork();
    if (child == 0) {
      const int null = ::open("/dev/null", O_RDWR);
      ::dup2(null, STDOUT_FILENO);
      ::dup2(null, STDERR_FILENO);
      exec_words(command(output_));
    }
    std::this_thread::sleep_for(after);
    ::kill(child, SIGKILL);  // a child that has ended waits to be seen: the number is still its own
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) return true;
    EXPECT_EQ(WEXITSTATUS(status), 0);
    return false;
  }

  const TempFolder folder_;
  std::string model_;
  const std::string out_ = folder_ / "out";
  const std::string output_ = out_ + "/m.gguf";
};

TEST_P(Kill, TheBytesAreTheSameInTheEnd) {
  const std::string whole = folder_ / "whole";
  const Clock::time_point begin = Clock::now();
  ASSERT_EQ(run(command(whole + "/m.gguf")).status, 0);
  const auto duration = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
  const Files expected = files_in(whole);
  // The name by which a program finds all files.
  const std::string first = out_ + "/" + expected.begin()->first;

  std::mt19937 random(random_seed());
  const int share = wanted_kills() / 10 + 1;  // of ten configurations
  int kills = 0;
  int resumed = 0;
  while (kills < share) {
    // Usually well before the end, and now and then not at all.
    const auto after = duration * static_cast<int>(random() % 1000) / 900;
    if (fs::exists(output_ + ".part.journal")) ++resumed;
    if (run_and_kill(after)) {
      ++kills;
      if (!fs::exists(first)) continue;
      for (const auto& [name, bytes] : expected) {
        ASSERT_TRUE(read_file(out_ + "/" + name) == bytes) << "torn, and has its name: " << name;
      }
      continue;
    }
    ASSERT_TRUE(files_in(out_) == expected) << "after " << kills << " kills";
    for (const auto& [name, bytes] : expected) fs::remove(out_ + "/" + name);
  }
  ASSERT_EQ(run(command(output_)).status, 0);
  EXPECT_TRUE(files_in(out_) == expected);
  EXPECT_GT(resumed, share / 4) << "too few runs had something to go on with to prove anything";
  RecordProperty("kills", kills);
  RecordProperty("resumed", resumed);
}

INSTANTIATE_TEST_SUITE_P(
    Configs, Kill,
    testing::Values(
        Config{"trained_async", {"--io", "async"}, false, "IQ1_M", "2"},
        Config{"trained_mmap_one_thread", {"--io", "mmap"}, false, "IQ1_M", "1"},
        Config{"trained_read_shared", {"--io", "read", "--spindle", "shared"}, false, "IQ1_M", "3"},
        Config{"trained_fast", {"--effort", "fast", "--io", "async"}, false, "IQ1_M", "2"},
        Config{"made_async", {"--pure", "--io", "async"}, true, "Q4_0", "2"},
        Config{"made_mmap", {"--pure", "--io", "mmap"}, true, "Q8_0", "4"},
        Config{"made_read_separate",
               {"--pure", "--io", "read", "--spindle", "separate"},
               true,
               "Q5_0",
               "1"},
        Config{"made_copied", {"--pure", "--io", "async"}, true, "BF16", "2"},
        Config{"trained_split", {"--io", "async", "--split-max-size", "300K"}, false, "IQ1_M", "2"},
        Config{"made_split",
               {"--pure", "--io", "read", "--split-max-tensors", "1"},
               true,
               "Q8_0",
               "2"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
