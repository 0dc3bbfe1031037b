// The program where the user allows it little: a small stack, few open files.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>
#include <vector>

#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;

const std::string kModel = SLUICE_TEST_DATA "/model/tiny-llama-f16.gguf";
const std::string kMatrix = SLUICE_TEST_DATA "/imatrix/tiny-llama.imatrix.gguf";

Finished run_with(int resource, rlim_t most, std::vector<std::string> words) {
  words.insert(words.begin(), SLUICE_PROGRAM);
  return run(words, [=] {
    const rlimit limit{most, most};
    ::setrlimit(resource, &limit);
  });
}

// The searches of the very-low-bit types need the most.
TEST(Stack, SixtyFourKibibytesAreEnough) {
  const TempFolder folder;
  const std::string output = folder / "out.gguf";
  for (const std::string type :
       {"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ3_S", "Q2_K", "TQ1_0", "IQ2_KT", "IQ3_KT", "IQ4_KT"}) {
    const std::string mix = type.ends_with("KT") ? "ik_llama.cpp" : "llama.cpp";
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"plan", "--mix", mix, "--imatrix", kMatrix, kModel, output, type},
             {"quantize", "--mix", mix, "--verify", "--imatrix", kMatrix, kModel, output, type},
             {"verify", output, "--against", kModel},
             {"compare", kModel, output},
             {"inspect", output}}) {
      const Finished done = run_with(RLIMIT_STACK, 64 << 10, words);
      EXPECT_EQ(done.status, 0) << type << ", " << words[0] << ": " << done.errors;
    }
  }
}

// Whatever is opened when no descriptor is left: the cure is not to remove a file.
TEST(OpenFiles, TooFewAreSaidWithTheCureThatHelps) {
  const TempFolder folder;
  const std::string output = folder / "out.gguf";
  int refused = 0;
  for (rlim_t most = 4; most < 30; ++most) {
    for (const std::string mode : {"async", "mmap", "read"}) {
      const Finished done = run_with(RLIMIT_NOFILE, most,
                                     {"quantize", "--io", mode, "--imatrix", kMatrix, "--trace",
                                      folder / "trace", kModel, output, "Q8_0"});
      if (done.status == 0) continue;
      if (done.errors.find("loading shared libraries") != std::string::npos) continue;
      ++refused;
      EXPECT_NE(done.errors.find("ulimit -n"), std::string::npos) << most << done.errors;
    }
  }
  EXPECT_GT(refused, 5);
}

}  // namespace
