// Ctrl-C while models of 800 GB are read. The run of quantize that is stopped is in tests/kill.

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
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

// The kernel and the shell each send SIGHUP when a terminal closes; a second SIGTERM is a wish.
TEST(Stop, AnyNumberOfHangupsIsOne) {
  const TempFolder folder;
  const std::string large = folder / "large.gguf";
  write_sparse_model(large, "llama-4-maverick");
  for (const auto& [signal, status] : {std::pair("HUP", 130), std::pair("TERM", 128 + 15)}) {
    // Halted between the two, so that it cannot end before the second comes.
    const std::string kill = std::string("kill -") + signal + " $!; ";
    const std::string script =
        "\"$0\" verify \"$1\" --against \"$1\" & sleep 2; " + kill +
        "kill -STOP $!; until grep -q '^State:.T' /proc/$!/status; do sleep 0.01; done; " + kill +
        "kill -CONT $!; wait $!";
    const Finished done = run({"bash", "-c", script, SLUICE_PROGRAM, large});
    EXPECT_EQ(done.status, status) << done.errors;
  }
}

}  // namespace
