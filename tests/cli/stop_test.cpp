// Ctrl-C while models of 800 GB are read. The run of quantize that is stopped is in tests/kill.

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/sparse_model.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;

TEST(Stop, EndsVerifyAndCompare) {
  const TempFolder folder;
  const std::string large = folder / "large.gguf";
  write_sparse_model(large, "llama-4-maverick");
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"verify", large, "--against", large}, {"compare", large, large}}) {
    std::vector<std::string> words = {"timeout", "--preserve-status", "-s", "INT", "-k", "60",
                                      "2",       SLUICE_PROGRAM};
    words.insert(words.end(), command.begin(), command.end());
    const auto start = std::chrono::steady_clock::now();
    const Finished done = run(words);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(done.status, 130) << done.errors;
    EXPECT_TRUE(done.out.empty()) << done.out;
    EXPECT_LT(took.count(), 10) << command[0];  // a second on a machine that is not busy
  }
}

}  // namespace
