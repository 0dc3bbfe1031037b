// The program as its users meet it: arguments, what it prints, exit status.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "cli_fixture.h"
#include "sluice/version.h"

namespace sluice::testing_support {
namespace {

namespace fs = std::filesystem;

TEST_F(Cli, QuantizesAndSaysWhatItDid) {
  const Finished done = sluice({"quantize", "--pure", model_, output_, "q4_0", "2"});
  EXPECT_EQ(done.status, 0) << done.errors;
  EXPECT_TRUE(fs::exists(output_));
  // Not on a terminal: a line per tensor.
  for (const std::string name :
       {"token_embd.weight", "blk.0.attn_q.weight", "output_norm.weight", "output.weight"}) {
    EXPECT_NE(done.errors.find(name), std::string::npos) << done.errors;
  }
  EXPECT_NE(done.errors.find("[4/4]"), std::string::npos);
  EXPECT_EQ(done.errors.find('\r'), std::string::npos);
  EXPECT_NE(done.out.find("bits per weight"), std::string::npos) << done.out;
}

TEST_F(Cli, VerifiesWhatItMade) {
  const std::string quantized = folder_ / "quantize.json";
  const std::string verified = folder_ / "verify.json";
  ASSERT_EQ(
      sluice({"quantize", "--verify", "--pure", "--report", quantized, model_, output_, "q4_k"})
          .status,
      0);
  const Finished good =
      sluice({"verify", output_, "--against", model_, "--report", verified, "--memory", "64M"});
  EXPECT_EQ(good.status, 0) << good.out << good.errors;
  EXPECT_NE(good.out.find("good, 4 tensors"), std::string::npos) << good.out;
  const auto made = nlohmann::json::parse(std::ifstream(quantized));
  const auto seen = nlohmann::json::parse(std::ifstream(verified));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(made["tensors"][i]["crc32"], seen["tensors"][i]["crc32"]);
  }

  std::vector<std::byte> bytes = read_file(output_);
  std::fill(bytes.end() - 2000, bytes.end() - 1000, std::byte{});
  write_file(output_, bytes);
  const Finished bad = sluice({"verify", output_, "--against", model_, "--report", verified});
  EXPECT_EQ(bad.status, 4);
  EXPECT_NE(bad.out.find("output.weight: rows "), std::string::npos) << bad.out;
  const auto findings = nlohmann::json::parse(std::ifstream(verified));
  EXPECT_FALSE(findings["good"]);
  EXPECT_EQ(findings["findings"][0]["tensor"], "output.weight");

  EXPECT_EQ(sluice({"verify", folder_ / "none.gguf"}).status, 3);
  EXPECT_EQ(sluice({"verify"}).status, 2);
}

TEST_F(Cli, VerifyAndCompareTakeWhatStreamingTakes) {
  ASSERT_EQ(sluice({"quantize", "--pure", model_, output_, "q8_0"}).status, 0);
  for (const std::string mode : {"read", "mmap", "async", "auto"}) {
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"verify", output_, "--against", model_}, {"compare", model_, output_}}) {
      const std::string trace = folder_ / ("trace." + command[0] + mode);
      std::vector<std::string> words = command;
      for (const std::string word : {"--io", mode.c_str(), "--spindle", "shared", "--isa",
                                     "portable", "--trace", trace.c_str(), "--memory", "128M"}) {
        words.push_back(word);
      }
      const Finished done = sluice(words);
      EXPECT_EQ(done.status, 0) << mode << " " << done.errors;
      const auto events = nlohmann::json::parse(std::ifstream(trace), nullptr, false);
      EXPECT_FALSE(events.is_discarded()) << command[0] << " " << mode << ": no trace";
    }
  }
  EXPECT_EQ(sluice({"verify", output_, "--io", "tape"}).status, 2);
  EXPECT_EQ(sluice({"compare", model_, output_, "--trace", model_}).status, 4);
}

TEST_F(Cli, NumbersThatAreNoneAreRefused) {
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"--memory", "-1"},
                                             {"--memory", "nan"},
                                             {"--checkpoint", "nan"},
                                             {"--checkpoint", "-1"},
                                             {"--checkpoint", "inf"}}) {
    std::vector<std::string> words{"quantize", model_, output_, "Q8_0"};
    words.insert(words.end(), wrong.begin(), wrong.end());
    const Finished done = sluice(words);
    EXPECT_EQ(done.status, 2) << wrong[1];
    EXPECT_NE(done.errors.find(wrong[0]), std::string::npos) << done.errors;
  }
  for (const std::string command : {"verify", "compare"}) {
    std::vector<std::string> words{command, model_, "--memory", "-1"};
    if (command == "compare") words.push_back(model_);
    EXPECT_EQ(sluice(words).status, 2) << command;
  }
  EXPECT_FALSE(fs::exists(output_));
}

TEST_F(Cli, EveryKindOfErrorHasItsStatusAndOneClearMessage) {
  struct Case {
    std::vector<std::string> words;
    int status;
    std::string text;
  };
  const std::string nowhere = folder_ / "none.gguf";
  write_file(folder_ / "junk.gguf", bytes_of(std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
  for (const Case& c : std::vector<Case>{
           {{}, 2, "Usage: sluice COMMAND"},
           {{"quantise", model_, output_, "Q8_0"}, 2, ""},
           {{"quantize", model_, output_}, 2, "type"},
           {{"quantize", model_, output_, "IQ1_X"}, 2, "IQ1_X"},
           {{"quantize", "--frobnicate", model_, output_, "Q8_0"}, 2, "--frobnicate"},
           {{"quantize", "--memory", "lots", model_, output_, "Q8_0"}, 2, "lots"},
           {{"quantize", "--io", "tape", model_, output_, "Q8_0"}, 2, "tape"},
           {{"quantize", "--pure", "--memory", "1M", model_, output_, "Q8_0"}, 2, "the least is"},
           {{"quantize", "--pure", model_, output_, "IQ2_K"}, 2, "ik_llama.cpp"},
           {{"quantize", nowhere, output_, "Q8_0"}, 3, nowhere},
           {{"quantize", folder_ / "junk.gguf", output_, "Q8_0"}, 3, "junk.gguf"},
           {{"quantize", "--pure", model_, model_, "Q8_0"}, 4, "input"},
           {{"quantize", "--pure", model_, folder_ / "no/out.gguf", "Q8_0"}, 4, "no/out.gguf"},
           {{"quantize", model_, output_, "IQ1_M"}, 5, "blk.0.attn_q.weight"},
           {{"quantize", "--imatrix", folder_ / "junk.gguf", model_, output_, "IQ1_M"},
            5,
            "junk.gguf"},
       }) {
    const Finished done = sluice(c.words);
    std::string line;
    for (const std::string& word : c.words) line += word + " ";
    EXPECT_EQ(done.status, c.status) << line << "\n" << done.errors;
    EXPECT_NE(done.errors.find(c.text), std::string::npos) << line << "\n" << done.errors;
    EXPECT_FALSE(done.errors.empty()) << line;
    EXPECT_FALSE(fs::exists(output_)) << line;
  }
}

TEST_F(Cli, HelpAndVersionSucceed) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"--help"}, {"quantize", "--help"}, {"plan", "--help"}, {"--version"}}) {
    const Finished done = sluice(words);
    EXPECT_EQ(done.status, 0);
    EXPECT_FALSE(done.out.empty());
  }
  EXPECT_NE(sluice({"quantize", "--help"}).out.find("--imatrix"), std::string::npos);
}

TEST_F(Cli, MemorySizesAreUnderstoodWithUnits) {
  for (const std::string size : {"64M", "64MB", "64MiB", "67108864", "1G", "65536k"}) {
    EXPECT_EQ(sluice({"quantize", "--pure", "--memory", size, model_, output_, "Q8_0"}).status, 0)
        << size;
  }
}

TEST_F(Cli, TheKernelsCanBeChosenAndTheReportSaysWhichRan) {
  const std::string report = folder_ / "report.json";
  std::vector<std::byte> expected;
  for (const std::string isa : {"portable", "avx2", "avx512bw", "avx512", "neon"}) {
    const Finished done =
        run({SLUICE_PROGRAM, "quantize", "--pure", "--report", report, model_, output_, "Q4_K"},
            [&] { ::setenv("SLUICE_ISA", isa.c_str(), 1); });
    if (done.status == 2) {
      EXPECT_NE(isa, "portable");
      EXPECT_NE(done.errors.find("this machine has no " + isa), std::string::npos) << done.errors;
      continue;
    }
    ASSERT_EQ(done.status, 0) << done.errors;
    std::ifstream file(report);
    EXPECT_EQ(nlohmann::json::parse(file)["isa"], isa);
    if (expected.empty()) expected = read_file(output_);
    EXPECT_TRUE(read_file(output_) == expected) << isa;
  }
  EXPECT_EQ(sluice({"quantize", "--isa", "mmx", model_, output_, "Q8_0"}).status, 2);
}

}  // namespace
}  // namespace sluice::testing_support
