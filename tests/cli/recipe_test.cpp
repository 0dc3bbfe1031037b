// The best types for a size: `sluice recipe`, and quantize and plan with a size in place of a type.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/program.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

class Recipe : public testing::Test {
 protected:
  Finished sluice(std::vector<std::string> words) {
    words.insert(words.begin(), SLUICE_PROGRAM);
    return run(words);
  }

  /// With an importance matrix, and measurements in a folder of the test's own.
  Finished sized(const std::string& command, std::vector<std::string> words) {
    words.insert(words.begin(), {command, kModel, "--imatrix", kMatrix, "--measurements", kept_});
    return sluice(words);
  }

  std::string done(const Finished& finished) {
    EXPECT_EQ(finished.status, 0) << finished.errors;
    return finished.out;
  }

  void expect_refusal(const Finished& finished, int status, const std::string& says) {
    EXPECT_EQ(finished.status, status) << finished.errors;
    EXPECT_NE(finished.errors.find(says), std::string::npos) << says << "\n" << finished.errors;
    EXPECT_EQ(finished.out, "");
  }

  nlohmann::json choice(std::vector<std::string> words) {
    words.push_back("--json");
    return nlohmann::json::parse(done(sized("recipe", words)));
  }

  TempFolder folder_;
  std::string kept_ = folder_ / "kept.json";
  std::string rules_ = folder_ / "rules.txt";
  std::string output_ = folder_ / "out.gguf";
};

std::string type_of(const nlohmann::json& choice, const std::string& name) {
  for (const nlohmann::json& tensor : choice["tensors"]) {
    if (tensor["name"] == name) return tensor["types"][tensor["chosen"].get<std::size_t>()]["type"];
  }
  return "none";
}

TEST_F(Recipe, ASizeIsMetFromBelow) {
  constexpr std::uintmax_t kSize = 2'100'000;
  done(sized("quantize", {output_, "--target-size", "2100K"}));
  EXPECT_LE(fs::file_size(output_), kSize);
  EXPECT_GE(fs::file_size(output_), kSize * 995 / 1000);
  const nlohmann::json chosen = choice({"--target-size", "2100000"});
  EXPECT_EQ(chosen["bytes"], fs::file_size(output_));
  double sum = 0;
  for (const nlohmann::json& tensor : chosen["tensors"]) {
    sum += tensor["types"][tensor["chosen"].get<std::size_t>()]["divergence"].get<double>();
  }
  EXPECT_NEAR(chosen["divergence"].get<double>(), sum, 1e-9 * sum);
  EXPECT_GT(sum, 0);
}

TEST_F(Recipe, ItsRulesMakeTheSameFileAndCanBeEdited) {
  const std::string summary = done(sized("recipe", {"--target-bpw", "2.5", "-o", rules_}));
  EXPECT_NE(summary.find("foretold divergence"), std::string::npos) << summary;
  done(sized("quantize", {output_, "--target-bpw", "2.5"}));
  const std::string type = choice({"--target-bpw", "2.5"})["file_type"];
  const std::string other = folder_ / "other.gguf";
  const auto by_rules = [&] {
    done(sluice(
        {"quantize", "--imatrix", kMatrix, "--tensor-type-file", rules_, kModel, other, type}));
  };
  by_rules();
  EXPECT_TRUE(read_file(output_) == read_file(other));
  std::ofstream(rules_, std::ios::app) << "^output\\.weight$=q8_0\n";
  by_rules();
  EXPECT_GT(fs::file_size(other), fs::file_size(output_));
}

TEST_F(Recipe, TheOtherPeersRulesMakeTheSameFile) {
  done(sized("recipe", {"--mix", "ik_llama.cpp", "--target-bpw", "3", "-o", rules_}));
  const nlohmann::json chosen = choice({"--mix", "ik_llama.cpp", "--target-bpw", "3"});
  done(sized("quantize", {output_, "--mix", "ik_llama.cpp", "--target-bpw", "3"}));
  std::ifstream file(rules_);
  const std::string rules(std::istreambuf_iterator<char>(file), {});
  const std::string other = folder_ / "other.gguf";
  done(sluice({"quantize", "--mix", "ik_llama.cpp", "--imatrix", kMatrix, "--custom-q", rules,
               kModel, other, chosen["file_type"]}));
  EXPECT_TRUE(read_file(output_) == read_file(other));
}

TEST_F(Recipe, WhatIsMeasuredServesOtherSizesAndOtherTypes) {
  const auto measured = [](const Finished& finished) {
    return finished.errors.find("note: measuring") != std::string::npos;
  };
  EXPECT_TRUE(measured(sized("recipe", {"--target-bpw", "2.2", "--types", "iq1_s,q4_k"})));
  EXPECT_TRUE(measured(sized("recipe", {"--target-bpw", "2.2"})));
  const std::vector<std::byte> kept = read_file(kept_);
  const Finished again = sized("recipe", {"--target-bpw", "3"});
  EXPECT_FALSE(measured(again));
  EXPECT_TRUE(read_file(kept_) == kept);
  fs::remove(kept_);
  EXPECT_EQ(done(sized("recipe", {"--target-bpw", "3"})), again.out);
}

TEST_F(Recipe, WhatIsMeasuredOfSomethingElseIsMeasuredAnewAndTold) {
  done(sized("recipe", {"--target-bpw", "3"}));
  const Finished without = sluice({"recipe", kModel, "--target-bpw", "3", "--measurements", kept_});
  EXPECT_NE(without.errors.find("all was measured anew"), std::string::npos) << without.errors;
  EXPECT_NE(without.errors.find("no importance values"), std::string::npos) << without.errors;
  EXPECT_NE(without.out, done(sized("recipe", {"--target-bpw", "3"})));
}

TEST_F(Recipe, TheModelIsRunOnAText) {
  const std::vector<std::string> words = {
      "--target-bpw",     "2.2", "--measure", kText, "--types", "iq1_s,iq3_s,q5_k",
      "--measure-tokens", "512"};
  const nlohmann::json chosen = choice(words);
  EXPECT_EQ(chosen["measured"], "with validation.txt (512 tokens) and tiny-llama.imatrix.gguf");
  EXPECT_FALSE(fs::exists(kept_ + ".state"));
  EXPECT_EQ(chosen, choice(words));
}

TEST_F(Recipe, RulesOfTheUserStand) {
  const nlohmann::json chosen =
      choice({"--target-bpw", "4", "--output-tensor-type", "q5_k", "--tensor-type",
              "blk.0.ffn_down=q3_k", "--token-embedding-type", "q8_0"});
  EXPECT_EQ(type_of(chosen, "output.weight"), "q5_k");
  EXPECT_EQ(type_of(chosen, "blk.0.ffn_down.weight"), "q3_k");
  EXPECT_EQ(type_of(chosen, "token_embd.weight"), "q8_0");
  EXPECT_EQ(type_of(chosen, "output_norm.weight"), "f32");
}

TEST_F(Recipe, PlacesBoundsAndTies) {
  const nlohmann::json chosen =
      choice({"--target", "ffn=1300K", "--target", "*=1M", "--at-least", "attn_v=q4_k", "--at-most",
              "token_embd=iq2_xs", "--tie", "ffn_[gu]"});
  std::uint64_t in_place = 0;
  for (const nlohmann::json& tensor : chosen["tensors"]) {
    const std::string name = tensor["name"];
    const std::size_t which = tensor["chosen"];
    if (name.find("ffn") != name.npos) {
      in_place += tensor["types"][which]["bytes"].get<std::uint64_t>();
    }
  }
  EXPECT_LE(in_place, 1'300'000u);
  EXPECT_GE(in_place, 1'300'000u * 995 / 1000);
  for (const std::string layer : {"blk.0.", "blk.3.", "blk.7."}) {
    EXPECT_EQ(type_of(chosen, layer + "ffn_gate.weight"), type_of(chosen, layer + "ffn_up.weight"));
    const std::string value = type_of(chosen, layer + "attn_v.weight");
    EXPECT_TRUE(value.starts_with("q4") || value.starts_with("q5") || value.starts_with("q6") ||
                value.starts_with("q8"))
        << value;
  }
}

TEST_F(Recipe, PlanAndReportTellWhatWasChosen) {
  const std::string plan = done(sized("plan", {"--target-bpw", "3", "--no-estimate"}));
  EXPECT_NE(plan.find("\nchoice   foretold divergence "), std::string::npos) << plan;
  EXPECT_NE(plan.find("chosen for the size, "), std::string::npos) << plan;
  const std::string report = folder_ / "report.json";
  const std::string page = folder_ / "page.html";
  done(sized("quantize", {output_, "--target-bpw", "3", "--report", report}));
  std::ifstream file(report);
  const nlohmann::json told = nlohmann::json::parse(file);
  const nlohmann::json chosen = choice({"--target-bpw", "3", "--html", page});
  EXPECT_EQ(told["mix"]["divergence"], chosen["divergence"]);
  EXPECT_GE(chosen["mixes"].size(), 10u);
  EXPECT_GT(fs::file_size(page), 10'000u);
}

// How long measuring would take is told without it, and nothing once all is kept.
TEST_F(Recipe, PlanForetellsMeasuring) {
  const std::vector<std::string> asked = {"--target-bpw",     "3",   "--measure",     kText,
                                          "--measure-tokens", "256", "--no-measuring"};
  const std::string plan = done(sized("plan", asked));
  EXPECT_NE(plan.find(" of it measuring first: running the model "), std::string::npos) << plan;
  EXPECT_EQ(plan.find("\nchoice "), std::string::npos) << plan;
  EXPECT_FALSE(fs::exists(kept_));
  const auto seen = [&] {
    std::vector<std::string> words = asked;
    words.push_back("--json");
    return nlohmann::json::parse(done(sized("plan", words)));
  };
  const nlohmann::json before = seen();
  const nlohmann::json& measuring = before["time"]["measuring"];
  for (const char* part : {"forward_s", "encoding_s", "errors_s"}) EXPECT_GT(measuring[part], 0);
  EXPECT_EQ(measuring["moments_s"], 0);
  EXPECT_GE(before["time"]["seconds"], measuring["seconds"]);
  EXPECT_FALSE(before.contains("mix"));
  EXPECT_NEAR(before["bits_per_weight"].get<double>(), 3, 0.02);
  done(sized("recipe", {"--target-bpw", "3", "--measure", kText, "--measure-tokens", "256"}));
  const nlohmann::json after = seen();
  EXPECT_FALSE(after["time"].contains("measuring"));
  EXPECT_TRUE(after.contains("mix"));
}

TEST_F(Recipe, ASizeThatCannotBeMetTellsTheSmallestAndTheLargest) {
  expect_refusal(sized("quantize", {output_, "--target-size", "1M"}), 2,
                 "the smallest choice of types takes 1.4 MiB");
  EXPECT_FALSE(fs::exists(kept_));
  expect_refusal(sluice({"recipe", kModel, "--target-bpw", "2", "--measurements", kept_}), 2,
                 "With --imatrix there are types of fewer bits");
  const Finished large = sized("recipe", {"--target-bpw", "20"});
  EXPECT_NE(large.errors.find("nothing is gained by more"), std::string::npos) << large.errors;
}

TEST_F(Recipe, WhatCannotBeTogetherIsRefused) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"--target-bpw", "3", "--target-size", "3M"}, "an output has one size"},
      {{"--target-bpw", "3", "--target", "*=3M"}, "an output has one size"},
      {{"--target-bpw", "3", "--pure"}, "--pure gives all tensors one type"},
      {{"--target-bpw", "3", "F16"}, "the type that is given has none"},
      {{"--target-bpw", "3", "COPY"}, "the type that is given has none"},
      {{"--target-bpw", "2,5"}, "'2,5' is no number"},
      {{"--target-size", "3"}, "too little for any model"},
      {{"--target-size", "large"}, "'large' is no size"},
      {{"--target", "=3M"}, "is no place with a size"},
      {{"--target", "exps=3M", "--target", "*=3M"}, "no tensor is left for the target 'exps'"},
      {{"--target", "ffn=3M"}, "is in none of the places"},
      {{"--target-bpw", "3", "--types", "iq1_s,iq9"}, "'iq9' is no tensor type"},
      {{"--target-bpw", "3", "--types", "iq2_k"}, "llama.cpp cannot load iq2_k"},
      {{"--target-bpw", "3", "--at-least", "(=q4_k"}, "is no regular expression"},
      {{"--target-bpw", "3", "--at-least", "attn=q8_0", "--at-most", "attn=q2_k"},
       "it can have none of the types"},
      {{"--target-bpw", "3", "--tie", "("}, "is no regular expression"},
      {{"--target-bpw", "3", "--measure-tokens", "0"}, "'0' is no number"}};
  for (const auto& [words, says] : wrong) {
    std::vector<std::string> line = {output_};
    line.insert(line.end(), words.begin(), words.end());
    expect_refusal(sized("quantize", line), 2, says);
  }
  expect_refusal(sluice({"recipe", kModel}), 2, "no size is given");
  EXPECT_FALSE(fs::exists(kept_));
}

TEST_F(Recipe, FilesOfOthersStay) {
  const std::string foreign = folder_ / "notes.json";
  std::ofstream(foreign) << "{\"mine\": 1}";
  const auto with = [&](const std::string& file) {
    return sluice({"recipe", kModel, "--target-bpw", "3", "--measurements", file});
  };
  expect_refusal(with(foreign), 3, "is no file of measurements");
  EXPECT_EQ(read_file(foreign).size(), 11u);
  expect_refusal(with(kModel), 4, "cannot be the measurements: it is the input");
  expect_refusal(with(folder_ / "no/folder.json"), 4, "cannot be created");
  expect_refusal(sized("recipe", {"--target-bpw", "3", "-o", kMatrix}), 4, "cannot be the recipe");
  expect_refusal(sized("recipe", {"--target-bpw", "3", "-o", kept_}), 2,
                 "cannot be the measurements: it is the recipe");
}

TEST_F(Recipe, ATextThatCannotServeIsToldWithACure) {
  const std::string text = folder_ / "short.txt";
  std::ofstream(text) << "short";
  expect_refusal(sized("recipe", {"--target-bpw", "3", "--measure", text}), 2, "too short");
  expect_refusal(sized("recipe", {"--target-bpw", "3", "--measure", folder_ / "none"}), 3,
                 "cannot be opened");
  const Finished unused = sluice(
      {"plan", kModel, output_, "Q4_K_M", "--no-estimate", "--types", "q4_k", "--measure", kText});
  EXPECT_NE(unused.errors.find("--types has no effect without a size"), std::string::npos);
  EXPECT_NE(unused.errors.find("--measure has no effect without a size"), std::string::npos);
}

TEST_F(Recipe, WithoutAnOutputItIsNamedAfterTheSize) {
  const std::string model = folder_ / "m.gguf";
  fs::copy_file(kModel, model);
  done(sluice({"quantize", "--target-bpw", "3", model}));
  EXPECT_TRUE(fs::exists(folder_ / "ggml-model-3bpw.gguf"));
  EXPECT_TRUE(fs::exists(folder_ / "m.measurements.json"));
  const std::string text = folder_ / "a.txt";
  fs::copy_file(kText, text);
  done(sluice({"recipe", "--target-bpw", "3", "--types", "q2_k,q4_k", "--measure", text,
               "--measure-tokens", "512", model}));
  EXPECT_TRUE(fs::exists(folder_ / "m.a.measurements.json"));
}

}  // namespace
