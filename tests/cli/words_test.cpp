// The words of a command line: orders that llama-quantize takes, and the answers to those that
// nobody can take.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "support/gguf_builder.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

class Words : public testing::Test {
 protected:
  Words() {
    write_file(model_, GgufBuilder()
                           .string("general.architecture", "llama")
                           .u32("llama.block_count", 1)
                           .tensor("blk.0.ffn_up.weight", {256, 2}, 0, Bytes(2048))
                           .build());
  }

  /// Runs in the folder, so that names are short.
  Finished sluice(std::vector<std::string> words) const {
    words.insert(words.begin(), SLUICE_PROGRAM);
    return run(words, [&] {
      if (::chdir((folder_ / "").c_str()) != 0) ::_exit(126);
    });
  }

  const TempFolder folder_;
  const std::string model_ = folder_ / "in.gguf";
  const std::string output_ = folder_ / "out.gguf";
};

TEST_F(Words, AsForLlamaQuantizeTheCommandMayBeLeftOut) {
  ASSERT_EQ(sluice({"quantize", "in.gguf", "whole.gguf", "Q8_0", "1"}).status, 0);
  const Bytes expected = read_file(folder_ / "whole.gguf");
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"in.gguf", "out.gguf", "Q8_0"},
           {"in.gguf", "out.gguf", "q8_0", "1"},
           {"in.gguf", "out.gguf", "7"},
           {"--override-kv", "a=int:1", "in.gguf", "out.gguf", "Q8_0"},
           {"--quiet", "in.gguf", "out.gguf", "Q8_0"},
           {"--log-file", "log", "--checkpoint", "1", "in.gguf", "out.gguf", "Q8_0"},
           {"quantize", "in.gguf", "-o", "out.gguf", "Q8_0"},
           {"quantize", "-o", "out.gguf", "in.gguf", "Q8_0", "1"},
           {"quantize", "-t", "1", "in.gguf", "out.gguf", "Q8_0"},
           {"quantize", "--threads=1", "in.gguf", "out.gguf", "Q8_0"}}) {
    fs::remove(output_);
    const Finished done = sluice(words);
    EXPECT_EQ(done.status, 0) << words[0] << done.errors;
    const bool edited = words[0] == "--override-kv";
    EXPECT_EQ(read_file(output_) == expected, !edited) << words[0];
  }
  EXPECT_EQ(sluice({"in.gguf", "Q8_0"}).status, 0);
  EXPECT_TRUE(read_file(folder_ / "ggml-model-Q8_0.gguf") == expected);
}

// One tensor, one thread, one file.
TEST_F(Words, OneOfAThingIsNotMany) {
  const std::regex many(
      R"(\b1 (tensor|thread|finding|file|row|byte|layer|value|page|part|type)s\b)");
  ASSERT_TRUE(std::regex_search("on 1 threads", many));
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"quantize", "--verify", "in.gguf", "out.gguf", "Q8_0", "1"},
           {"quantize", "--split-max-tensors", "1", "in.gguf", "s.gguf", "Q8_0", "1"},
           {"quantize", "--memory", "1M", "in.gguf", "out.gguf", "Q8_0", "1"},
           {"quantize", "--split-max-size", "1K", "in.gguf", "t.gguf", "Q8_0", "1"},
           {"quantize", "--prune-layers", "7", "in.gguf", "out.gguf", "Q8_0"},
           {"plan", "in.gguf", "IQ1_M", "1"},
           {"plan", "--memory", "1M", "in.gguf", "Q8_0", "1"},
           {"verify", "out.gguf", "--against", "in.gguf", "--threads", "1"},
           {"inspect", "in.gguf"},
           {"compare", "in.gguf", "out.gguf", "--threads", "1"}}) {
    const Finished done = sluice(words);
    EXPECT_FALSE(std::regex_search(done.out + done.errors, many)) << done.out << done.errors;
  }
}

TEST_F(Words, WithoutAnyThereIsHelp) {
  const Finished done = sluice({});
  EXPECT_EQ(done.status, 2) << "nothing was done";
  EXPECT_TRUE(done.errors.starts_with("sluice makes very small GGUF models")) << done.errors;
  EXPECT_NE(done.errors.find("Usage: sluice COMMAND"), std::string::npos);
  EXPECT_EQ(done.out, "");
}

struct Answer {
  std::vector<std::string> words;
  std::string message;
  int status = 2;
};

TEST_F(Words, WhatCannotBeTakenIsAnsweredWithWhatCan) {
  fs::copy(model_, folder_ / "my model.gguf");
  for (const Answer& answer : std::vector<Answer>{
           {{"quantize", "in.gguf", "out.gguf", "in.gguf"},
            "'in.gguf' is a file, and stands where the type is due. Write: sluice quantize MODEL "
            "OUTPUT TYPE NTHREADS"},
           {{"quantize", "in.gguf", "Q4_0", "out.gguf"},
            "put ./ before it. Write: sluice quantize in.gguf out.gguf Q4_0"},
           {{"quantize", "Q4_0", "in.gguf", "out.gguf", "2"},
            "'Q4_0' is a type, and stands where the model is due. Write: sluice quantize in.gguf "
            "out.gguf Q4_0 2"},
           {{"Q4_0", "my model.gguf"}, "Write: sluice quantize 'my model.gguf' Q4_0"},
           {{"plan", "in.gguf", "2", "out.gguf", "Q4_0"},
            "Write: sluice plan in.gguf out.gguf Q4_0"},
           {{"quantize", "out.gguf", "in.gguf", "Q4_0"},
            "\nThe output is there: the model stands before it",
            3},
           {{"quantize", "in.gguf"},
            "no type is given. Add it, as in 'sluice quantize in.gguf Q4_K_M'"},
           {{"in.gguf", "out.gguf"},
            "no type is given. Add it, as in 'sluice quantize in.gguf out.gguf Q4_K_M'"},
           {{"quantize", "in.gguf", "-o", "out.gguf"},
            "no type is given. Add it, as in 'sluice quantize -o FILE in.gguf Q4_K_M'"},
           {{"quantize", "in.gguf", "Q4_0", "Q8_0"},
            "'Q8_0' stands where the number of threads is due, since 'Q4_0' is a type"},
           {{"quantize", "in.gguf", "Q4_0", "1", "2"},
            "'2' is one argument too many: behind 'Q4_0', a type, stand the threads"},
           {{"quantize", "in.gguf", "out.gguf", "Q4_0", "--", "--pure"},
            "'--pure' stands behind '--', where no options are looked for, and is taken for the "
            "threads. Put options before '--'"},
           {{"in.gguf"}, "'in.gguf' is a file, but what to do with it? 'sluice inspect in.gguf'"},
           {{"quantize"},
            "quantize needs MODEL, 16-bit GGUF file, or a published checkpoint's folder; or any "
            "part of either, or a URL. As in: "
            "sluice quantize "},
           {{"compare", "in.gguf"},
            "compare needs B, GGUF file or checkpoint to compare with it. As in: sluice compare "},
           {{"compare"}, "compare needs A, "},
           {{"verify"}, "verify needs OUTPUT, "},
           {{"inspect"}, "inspect needs FILE, "},
           {{"report"}, "report needs REPORTS, "},
           {{"report", "run.json"},
            "report needs -o FILE, HTML page to make. As in: sluice report "},
           {{"completion"}, "completion needs SHELL, "},
           {{"quantize", "--imatrix"}, "--imatrix needs a value: --imatrix FILE, "},
           {{"quantize", "--imatrix", "--pure", "in.gguf", "out.gguf", "Q4_0"},
            "--imatrix needs a value: --imatrix FILE, "},
           {{"inspect", "--json=x", "in.gguf"}, "--json: it takes no value"},
           {{"inspect", "--json=3", "in.gguf"}, "--json: it takes no value"},
           {{"quantize", "--pure=3", "in.gguf", "out.gguf", "Q4_0"},
            "--pure: '3' is neither true nor false"},
           {{"--memory", "1G", "quantize", "in.gguf", "out.gguf", "Q4_0"},
            "--memory stands before the command. Write it behind 'quantize'"},
           {{"--nthreads", "4", "in.gguf", "out.gguf", "Q4_0"},
            "unknown option '--nthreads'. Did you mean '--threads'?"},
           {{"quantize", "-x", "in.gguf", "out.gguf", "Q4_0"}, "unknown option '-x'\n"},
           {{"-v"}, "-v: sluice says by itself what it does"},
           {{"quantize", "--verbose", "in.gguf", "out.gguf", "Q4_0"},
            "--version tells its version"},
           {{"quantize", "-t", "Q4_0", "in.gguf", "out.gguf"},
            "'Q4_0' is no number of threads from 1 to 1024, or 0 for one a core. A type stands "
            "behind the output"},
           {{"version"}, "unknown command 'version'. Did you mean '--version'?"},
           {{"-q"}, "no command is given"}}) {
    const Finished done = sluice(answer.words);
    std::string line;
    for (const std::string& word : answer.words) line += word + " ";
    EXPECT_EQ(done.status, answer.status) << line;
    EXPECT_NE(done.errors.find(answer.message), std::string::npos) << line << "\n" << done.errors;
    EXPECT_EQ(done.errors.find("required"), std::string::npos) << line << "\n" << done.errors;
    EXPECT_FALSE(fs::exists(output_)) << line;
    EXPECT_EQ(done.out, "") << line;
  }
}

}  // namespace
