// Published checkpoints as users of the program meet them.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/program.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

const std::string kCheckpoints = SLUICE_TEST_DATA "/checkpoints/";

bool says(const Finished& done, std::string_view what) {
  return done.errors.find(what) != std::string::npos;
}

TEST(Checkpoints, EverySafetensorsCaseHasItsVerdictBeforeAnyDataAreRead) {
  const std::string cases = kCheckpoints + "safetensors-cases/";
  const auto verdicts = nlohmann::json::parse(std::ifstream(cases + "verdicts.json"));
  ASSERT_EQ(verdicts.size(), 28u);
  for (const auto& [name, verdict] : verdicts.items()) {
    const TempFolder folder;
    const std::string model = folder / "m";
    fs::copy(kCheckpoints + "qwen2", model);
    fs::copy(cases + name + ".safetensors", model + "/model.safetensors",
             fs::copy_options::overwrite_existing);
    for (const char* const command : {"inspect", "plan", "quantize"}) {
      std::vector<std::string> words = {command, model};
      if (words[0] != "inspect") words.insert(words.end(), {folder / "out.gguf", "Q8_0"});
      const Finished done = run_program(words);
      EXPECT_EQ(done.status, 3) << name << "\n" << done.errors;
      EXPECT_EQ(done.out, "") << name;
      EXPECT_EQ(std::ranges::count(done.errors, '\n'), 1) << done.errors;
      // What is well formed is refused too: its tensors are of no model.
      const bool well_formed = verdict.get<std::string>().starts_with("ok");
      EXPECT_EQ(says(done, "/m/model.safetensors: "), !well_formed) << name << done.errors;
      EXPECT_EQ(says(done, "both must be of one model"), well_formed) << name << done.errors;
    }
    EXPECT_FALSE(fs::exists(folder / "out.gguf"));
  }
}

TEST(Checkpoints, AreInspectedLikeGguf) {
  const Finished done = run_program({"inspect", kCheckpoints + "deepseek_v3_fp8"});
  EXPECT_EQ(done.status, 0) << done.errors;
  for (const char* const line :
       {"model-00002-of-00002.safetensors: safetensors, ", "general.architecture",
        "tokenizer.ggml.tokens", "blk.1.ffn_down_exps.weight   24 x 40 x 4  f8_e4m3"}) {
    EXPECT_NE(done.out.find(line), std::string::npos) << line << "\n" << done.out;
  }
  EXPECT_TRUE(says(done, "note: left out: 21 tensors for multi-token prediction")) << done.errors;
  const Finished json = run_program({"inspect", "--json", kCheckpoints + "kimi_k2_int4"});
  const auto told = nlohmann::json::parse(json.out);
  EXPECT_EQ(told["files"][0]["format"], "safetensors");
  std::map<std::string, std::string> stored;
  for (const auto& tensor : told["tensors"]) stored[tensor["name"]] = tensor["stored_as"];
  EXPECT_EQ(stored["blk.1.ffn_up_exps.weight"], "int4 rows");
  EXPECT_EQ(stored["output.weight"], "bf16");
}

TEST(Checkpoints, NoReportTakesTheirFilesPlaces) {
  const TempFolder folder;
  const std::string model = folder / "m";
  fs::copy(kCheckpoints + "qwen2", model);
  for (const char* const name : {"/config.json", "/tokenizer.json", "/model.safetensors"}) {
    const std::string file = model + name;
    const auto before = read_file(file);
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"quantize", "--report", file, model, folder / "o.gguf", "Q8_0"},
          {"quantize", "--log-file", file, model + "/model.safetensors", folder / "o.gguf", "Q8_0"},
          {"inspect", "--html", file, model}}) {
      const Finished done = run_program(words);
      EXPECT_NE(done.status, 0) << words[1] << name;
      EXPECT_EQ(read_file(file), before) << words[1] << name << done.errors;
    }
  }
  const std::string report = model + "/report.json";
  for (int time = 0; time < 2; ++time) {
    const Finished done = run_program({"quantize", "--report", report, model, "Q8_0"});
    EXPECT_EQ(done.status, 0) << done.errors;
  }
  EXPECT_TRUE(fs::exists(model + "/ggml-model-Q8_0.gguf"));
}

TEST(Checkpoints, APreTokenizerIsOneOfLlamaCpps) {
  const Finished unknown = run_program({"plan", "--pre", "qwen", kCheckpoints + "qwen2", "Q8_0"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_TRUE(says(unknown, "knows no pre-tokenizer 'qwen'. Name one of ")) << unknown.errors;
  EXPECT_TRUE(says(unknown, "qwen2, qwen35")) << unknown.errors;
}

}  // namespace
