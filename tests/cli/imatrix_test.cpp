// `sluice imatrix`: the values of llama.cpp's own tool, bytes that no interruption changes, and what is
// said of what cannot be done.

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "cli/imatrix_fixture.h"
#include "support/random_families.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

void expect_same_values(const std::string& found_in, const std::string& expected_in) {
  const auto ours = values_of(found_in);
  const auto theirs = values_of(expected_in);
  ASSERT_EQ(ours.size(), theirs.size());
  for (const auto& [name, expected] : theirs) {
    const std::vector<float>& found = ours.at(name);
    ASSERT_EQ(found.size(), expected.size()) << name;
    if (name.ends_with(".counts")) {
      EXPECT_EQ(found, expected) << name;
      continue;
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 0.01f * expected[i]) << name << " " << i;
    }
    const double sum = std::accumulate(expected.begin(), expected.end(), 0.0);
    EXPECT_NEAR(std::accumulate(found.begin(), found.end(), 0.0), sum, 1e-3 * sum) << name;
  }
}

TEST_F(Imatrix, ValuesAreThoseOfLlamaCpp) {
  const Finished done = imatrix({"-m", kModel, "-f", kText, "-o", output_, "-c", "128", "--chunks",
                                 "6", "--process-output", "--json"});
  ASSERT_EQ(done.status, 0) << done.errors;
  const auto report = nlohmann::json::parse(done.out);
  EXPECT_EQ(report["tokens"], 6 * 128);
  EXPECT_EQ(report["tensors"], 8 * 7 + 1);
  EXPECT_EQ(report["experts"], 0);
  expect_same_values(output_, kData + "/imatrix/llama-imatrix.gguf");
}

TEST_F(Imatrix, ValuesOfExpertsAndHeadsAreThoseOfLlamaCpp) {
  for (const RandomFamily& family : all_random_families()) {
    const std::string theirs = kData + "/imatrix/llama-imatrix-" + family.name + ".gguf";
    if (!fs::exists(theirs)) continue;
    const std::string model = folder_ / (family.name + ".gguf");
    write_file(model, family.build());
    const Finished done =
        imatrix({model, kText, "-o", output_, "-c", "128", "--chunks", "6", "--restart"});
    ASSERT_EQ(done.status, 0) << done.errors;
    expect_same_values(output_, theirs);
  }
}

TEST_F(Imatrix, IsTheSameAfterAKill) {
  const std::vector<std::string> words = {kModel, kText,      "-o", output_,    "-c",
                                          "64",   "--chunks", "3",  "--memory", "256M"};
  ASSERT_EQ(imatrix(words).status, 0);
  const std::vector<std::byte> once = read_file(output_);
  fs::remove(output_);
  ASSERT_EQ(run(kill_after_a_layer(words)).status, 128 + 9);
  EXPECT_FALSE(fs::exists(output_));
  const Finished rest =
      imatrix({kModel, kText, "-o", output_, "-c", "64", "--chunks", "3", "--threads", "1"});
  EXPECT_EQ(rest.status, 0) << rest.errors;
  EXPECT_NE(rest.errors.find("going on: "), std::string::npos) << rest.errors;
  EXPECT_EQ(read_file(output_), once);
  EXPECT_EQ(std::distance(fs::directory_iterator(fs::path(output_).parent_path()), {}), 1);
}

TEST_F(Imatrix, WhatAnotherRunLeftIsNotGoneOnWith) {
  write_file(output_ + ".part", std::vector<std::byte>(10));
  expect_refusal({kModel, ids(128), "-o", output_, "-c", "64"}, 4, "no working file of sluice's");
  fs::remove(output_ + ".part");
  write_file(output_ + ".part.state", std::vector<std::byte>(4096));
  const std::vector<std::string> words = {
      kModel, "--calibrate-tokens", ids(128), "-o", output_, "-c", "64"};
  expect_refusal(words, 4, "--restart");
  std::vector<std::string> anew = words;
  anew.push_back("--restart");
  EXPECT_EQ(imatrix(anew).status, 0);
  fs::remove(output_);
  ASSERT_EQ(run(kill_after_a_layer(words)).status, 128 + 9);
  fs::remove(output_ + ".part");
  expect_refusal(words, 4, "has no longer what an earlier run wrote");
  expect_refusal({kModel, kText, "-o", output_, "-c", "64", "--chunks", "2"}, 4,
                 "another model, text or settings");
  EXPECT_EQ(imatrix(anew).status, 0);
  EXPECT_FALSE(fs::exists(output_ + ".part.state"));
}

TEST_F(Imatrix, ExpertsThatSawFewTokensAreNamed) {
  const std::string model = folder_ / "experts.gguf";
  write_file(model, random_families::qwen3moe());
  const Finished done = imatrix({model, "--calibrate-tokens", ids(96), "-o", output_, "-c", "32"});
  ASSERT_EQ(done.status, 0) << done.errors;
  EXPECT_NE(done.out.find("saw fewer than 100 tokens"), std::string::npos) << done.out;
  const Finished told =
      imatrix({model, "--calibrate-tokens", ids(96), "-o", output_, "-c", "32", "--json"});
  const auto report = nlohmann::json::parse(told.out);
  const auto values = values_of(output_);
  EXPECT_EQ(report["quiet_experts"].size(), report["experts"].get<std::size_t>());
  for (const auto& quiet : report["quiet_experts"]) {
    const std::string name =
        "blk." + std::to_string(quiet["layer"].get<int>()) + ".ffn_down_exps.weight.counts";
    EXPECT_EQ(values.at(name).at(quiet["expert"].get<std::size_t>()), quiet["tokens"]);
  }
  // Each token goes to so many experts.
  const std::vector<float>& sent = values.at("blk.0.ffn_gate_exps.weight.counts");
  const double all = std::accumulate(sent.begin(), sent.end(), 0.0);
  EXPECT_EQ(std::fmod(all, 96), 0) << all;
  EXPECT_GE(all, 96);
  const std::size_t columns = values.at("blk.0.ffn_gate_exps.weight.in_sum2").size() / sent.size();
  for (std::size_t expert = 0; expert < sent.size(); ++expert) {
    const float first = values.at("blk.0.ffn_gate_exps.weight.in_sum2")[expert * columns];
    EXPECT_EQ(first > 0, sent[expert] > 0) << expert;
  }
}

TEST_F(Imatrix, ACheckpointHasTheValuesOfTheModelThatItIs) {
  const std::string checkpoint = kData + "/checkpoints/qwen2";
  const std::string model = folder_ / "model.gguf";
  const Finished converted = run({SLUICE_PROGRAM, "quantize", checkpoint, model, "BF16"});
  ASSERT_EQ(converted.status, 0) << converted.errors;
  const std::vector<std::string> rest = {kText, "-o", output_, "-c", "32", "--chunks", "3"};
  std::vector<std::string> words = rest;
  words.insert(words.begin(), checkpoint);
  const Finished done = imatrix(words);
  ASSERT_EQ(done.status, 0) << done.errors;
  const std::vector<std::byte> of_checkpoint = read_file(output_);
  words[0] = model;
  ASSERT_EQ(imatrix(words).status, 0);
  EXPECT_EQ(read_file(output_), of_checkpoint);
}

TEST_F(Imatrix, SaysWhatCannotBeDone) {
  const std::string short_text = write_text("short", "Not much.");
  expect_refusal({kModel, short_text, "-o", output_}, 2, "fewer than a sequence has, 512");
  expect_refusal({kModel, write_text("empty", ""), "-o", output_}, 2, "fewer than a sequence has");
  expect_refusal({kModel, "-o", output_}, 2, "no text is given");
  expect_refusal({kModel, kText}, 4, "no output is named");
  expect_refusal({kModel, kText, "--calibrate-tokens", short_text, "-o", output_}, 2,
                 "excludes --calibrate-tokens");
  expect_refusal({kModel, folder_ / "missing", "-o", output_}, 3, "missing");
  expect_refusal({kModel, "--calibrate-tokens", ids(600, 5000), "-o", output_}, 3,
                 "is no token of this model");
  expect_refusal({kModel, "--calibrate-tokens", write_text("ids", "1 -2 3"), "-o", output_}, 3,
                 "'-2' is no token");
  expect_refusal({kModel, kText, "-o", kText}, 4, "it is a text, which would be lost");
  expect_refusal({kModel, kText, "-o", output_, "--memory", "30M"}, 2, "the least is");
  const std::string unknown = folder_ / "unknown.gguf";
  write_file(unknown, GgufBuilder().string("general.architecture", "mamba").build());
  expect_refusal({unknown, kText, "-o", output_}, 3, "mamba");
  EXPECT_FALSE(fs::exists(output_));
  EXPECT_FALSE(fs::exists(output_ + ".part"));
}

}  // namespace
