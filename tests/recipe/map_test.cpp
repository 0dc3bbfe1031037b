// The types that the peers' own programs chose for whole models, tensor by tensor.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <random>

#include "recipe/model.h"

namespace sluice::recipe_test {
namespace {

struct Column {
  const char* name;
  Mix mix;
  bool pure;
};

constexpr Column kColumns[] = {
    {"llama.cpp", Mix::llama_cpp, false},
    {"ik_llama.cpp", Mix::ik_llama_cpp, false},
    {"llama.cpp pure", Mix::llama_cpp, true},
    {"ik_llama.cpp pure", Mix::ik_llama_cpp, true},
};

void expect_equal(const ExpectedMap& map) {
  for (const auto& [name, mix, pure] : kColumns) {
    const auto column = map.columns.find(name);
    if (column == map.columns.end()) continue;
    const auto choices = choose_types(options(mix, "IQ1_M", pure), map.model).tensors;
    ASSERT_EQ(choices.size(), column->second.size());
    for (std::size_t i = 0; i < choices.size(); ++i) {
      if (column->second[i].empty()) continue;
      EXPECT_EQ(sluice::name(choices[i].type), column->second[i])
          << name << ": " << map.model.tensors[i].name << " (" << choices[i].rule << ")";
      EXPECT_FALSE(choices[i].rule.empty()) << map.model.tensors[i].name;
    }
  }
}

class MapWithMetadata : public testing::TestWithParam<const char*> {};

TEST_P(MapWithMetadata, EqualsThePeers) {
  const ExpectedMap map = read_map(GetParam());
  ASSERT_TRUE(map.columns.contains("llama.cpp") && map.columns.contains("ik_llama.cpp"));
  expect_equal(map);
}

INSTANTIATE_TEST_SUITE_P(Models, MapWithMetadata,
                         testing::Values("mistral-7b", "llama-2-70b", "llama-3.2-1b",
                                         "mixtral-8x7b", "llama-4-scout", "llama-4-maverick",
                                         "qwen3-30b-a3b", "deepseek-v3", "gemma-2-2b", "phi-3-mini",
                                         "falcon-7b", "qwen2.5-0.5b", "mamba-4l", "gpt2",
                                         "odd-rows", "moe-2", "moe-4", "gqa-2", "gqa-3",
                                         "back-to-front", "names-0-experts", "names-8-experts",
                                         "names-16-experts", "names-bert"),
                         [](const auto& param_info) {
                           std::string id = param_info.param;
                           std::ranges::replace_if(
                               id, [](char c) { return !std::isalnum(c); }, '_');
                           return id;
                         });

// The maps of these three models carry no metadata.
void expect_equal(const std::string& name, const std::string& architecture,
                  const nlohmann::json& metadata) {
  ExpectedMap map = read_map(name);
  add_metadata(map.model, "general.architecture", architecture);
  for (const auto& [key, value] : metadata.items()) {
    add_metadata(map.model, architecture + "." + key, value);
  }
  ASSERT_TRUE(map.columns.contains("llama.cpp") && map.columns.contains("ik_llama.cpp"));
  expect_equal(map);
}

TEST(Map, Llama2With7BEqualsThePeers) {
  expect_equal("l2-7b", "llama", {{"block_count", 32}, {"attention.head_count", 32}});
}

TEST(Map, Llama3With8BEqualsThePeers) {
  expect_equal("l3-8b", "llama",
               {{"block_count", 32}, {"attention.head_count", 32}, {"attention.head_count_kv", 8}});
}

TEST(Map, DeepSeekV2LiteEqualsThePeers) {
  expect_equal("dsl", "deepseek2",
               {{"block_count", 27},
                {"attention.head_count", 16},
                {"attention.head_count_kv", 16},
                {"expert_count", 64}});
}

TEST(Map, LlamaCppChoicesDoNotDependOnFileOrder) {
  const ExpectedMap map = read_map("llama-4-maverick");
  std::vector<std::size_t> order(map.model.tensors.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937(20260915));
  ExpectedMap shuffled;
  shuffled.model.metadata = map.model.metadata;
  for (const std::size_t i : order) {
    shuffled.model.tensors.push_back(map.model.tensors[i]);
    shuffled.columns["llama.cpp"].push_back(map.columns.at("llama.cpp")[i]);
  }
  expect_equal(shuffled);
}

}  // namespace
}  // namespace sluice::recipe_test
