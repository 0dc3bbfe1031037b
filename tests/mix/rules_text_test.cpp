// A choice as text, given back: by our own parser, and as the peers' programs read such rules.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <regex>
#include <sstream>

#include "recipe/model.h"
#include "recipe/recipe_text.h"
#include "sluice/mix.h"

namespace sluice {
namespace {

using recipe_test::options;
using recipe_test::read_map;

/// A type for each tensor, kept ones apart; neighbours often alike, as in real choices.
MixChoice random_choice(const gguf::Header& model, Mix mix, std::uint32_t seed) {
  static const std::vector<TensorType> kTypes = {TensorType::iq2_xxs, TensorType::iq3_s,
                                                 TensorType::q4_k, TensorType::q6_k};
  std::mt19937 random(seed);
  MixChoice choice;
  choice.recipe = options(mix, "Q4_K_M");
  const ChosenTypes chosen = choose_types(choice.recipe, model);
  TensorType type = kTypes.front();
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    TensorChoice& tensor = choice.tensors.emplace_back();
    tensor.name = model.tensors[i].name;
    tensor.kept = chosen.tensors[i].decider == Decider::kept;
    if (random() % 3 == 0) type = kTypes[random() % kTypes.size()];
    const bool fits = model.tensors[i].row_elements() % 256 == 0;
    tensor.types = {{tensor.kept ? chosen.tensors[i].type
                     : fits      ? type
                                 : TensorType::f16,
                     1000, 0.001}};
  }
  return choice;
}

/// As llama-quantize reads a file of rules, which ends at what it does not understand.
std::vector<TypeRule> read_words(const std::string& text) {
  std::vector<TypeRule> rules;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const std::size_t sign = word.find('=');
    EXPECT_NE(sign, std::string::npos) << word;
    if (sign == std::string::npos) break;
    rules.push_back({word.substr(0, sign), recipe_test::type_named(word.substr(sign + 1))});
  }
  return rules;
}

/// What `grep -v '^#'` leaves.
std::string without_comments(const std::string& text) {
  std::istringstream lines(text);
  std::string rules;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#')) rules += line + "\n";
  }
  return rules;
}

/// As std::regex understands the rules: one matches each tensor that is not kept.
void expect_one_rule_each(const MixChoice& choice, const std::vector<TypeRule>& rules) {
  std::vector<std::regex> patterns;
  for (const TypeRule& rule : rules) patterns.emplace_back(rule.pattern);
  for (const TensorChoice& tensor : choice.tensors) {
    if (tensor.kept) continue;
    int matches = 0;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (!std::regex_search(tensor.name, patterns[i])) continue;
      EXPECT_EQ(name(rules[i].type), name(tensor.types[0].type)) << tensor.name;
      ++matches;
    }
    EXPECT_EQ(matches, 1) << tensor.name;
  }
}

class RulesText : public testing::TestWithParam<std::tuple<const char*, Mix>> {};

TEST_P(RulesText, GivesEachTensorItsType) {
  const auto [file, mix] = GetParam();
  const gguf::Header model = read_map(file).model;
  const MixChoice choice = random_choice(model, mix, 17);
  const std::string text = recipe_text(choice, mix);
  RecipeOptions recipe = options(mix, "Q4_K_M");
  if (mix == Mix::llama_cpp) {
    recipe.tensor_types = parse_tensor_rules(text);
  } else {
    recipe.custom_types = parse_custom_rules(text);
  }
  const ChosenTypes chosen = choose_types(recipe, model);
  EXPECT_TRUE(chosen.notes.empty()) << chosen.notes.front();
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    EXPECT_EQ(name(chosen.tensors[i].type), name(choice.tensors[i].types[0].type))
        << model.tensors[i].name;
  }
  const std::string plain = without_comments(text);
  if (mix == Mix::ik_llama_cpp) {
    EXPECT_EQ(plain.find(','), std::string::npos);  // which parts rules there, wherever it is
  }
  expect_one_rule_each(choice, read_words(plain));
}

INSTANTIATE_TEST_SUITE_P(Models, RulesText,
                         testing::Combine(testing::Values("llama-4-maverick", "deepseek-v3",
                                                          "qwen3-30b-a3b", "llama-2-70b",
                                                          "names-bert", "names-16-experts",
                                                          "mamba-4l", "gpt2", "falcon-7b"),
                                          testing::Values(Mix::llama_cpp, Mix::ik_llama_cpp)));

MixChoice small_choice() {
  const auto tensor = [](std::string name, TensorType type, double divergence) {
    TensorChoice choice;
    choice.name = std::move(name);
    choice.types = {{type, 2048, divergence}};
    return choice;
  };
  MixChoice choice;
  choice.tensors = {tensor("token_embd.weight", TensorType::q4_k, 0.01),
                    tensor("blk.0.attn_norm.weight", TensorType::f32, 0),
                    tensor("blk.0.ffn_up.weight", TensorType::iq3_s, 0.001),
                    tensor("blk.0.ffn_gate_inp.weight", TensorType::q8_0, 0),
                    tensor("blk.0.ffn_down.weight", TensorType::q6_k, 0.002),
                    tensor("blk.1.ffn_up.weight", TensorType::iq3_s, 0.001),
                    tensor("blk.1.ffn_down.weight", TensorType::iq3_s, 0.003),
                    tensor("blk.2.ffn_up.weight", TensorType::iq3_s, 0.004),
                    tensor("blk.2.ffn_down.weight", TensorType::q6_k, 0.005),
                    tensor("output.weight", TensorType::q6_k, 0.006)};
  choice.tensors[1].kept = true;
  choice.tensors.back().rule = "--output-tensor-type";
  choice.bytes = 123456;
  choice.divergence = 0.032;
  choice.measured = "under the importance matrix";
  choice.recipe = options(Mix::llama_cpp, "IQ3_M");
  return choice;
}

TEST(RulesText, CanBeRead) {
  const std::string text = recipe_text(small_choice(), Mix::llama_cpp);
  EXPECT_EQ(
      text,
      R"(# 120.6 KiB (123456 bytes), foretold divergence 0.032 nats a token, measured under the importance matrix.
# For: sluice quantize --tensor-type-file RULES MODEL OUT IQ3_M
# llama-quantize reads no comments: grep -v '^#' RULES > PLAIN, and
#      llama-quantize --tensor-type-file PLAIN MODEL OUT IQ3_M
# No rule is for routers: add --ffn-gate-inp-type q8_0
# 1 tensor, 2.0 KiB, 0.01 nats
^token_embd\.weight$=q4_k
# 3 tensors, 6.0 KiB, 0.006 nats
^blk\.[0-9]+\.ffn_up\.weight$=iq3_s
# 1 tensor, 2.0 KiB, 0.003 nats
^blk\.1\.ffn_down\.weight$=iq3_s
# 2 tensors, 4.0 KiB, 0.007 nats
^blk\.(0|2)\.ffn_down\.weight$=q6_k
# 1 tensor, 2.0 KiB, 0.006 nats
^output\.weight$=q6_k
# Tensor by tensor:
#   token_embd.weight q4_k 2.0 KiB 0.01 nats
#   blk.0.ffn_up.weight iq3_s 2.0 KiB 0.001 nats
#   blk.0.ffn_down.weight q6_k 2.0 KiB 0.002 nats
#   blk.1.ffn_up.weight iq3_s 2.0 KiB 0.001 nats
#   blk.1.ffn_down.weight iq3_s 2.0 KiB 0.003 nats
#   blk.2.ffn_up.weight iq3_s 2.0 KiB 0.004 nats
#   blk.2.ffn_down.weight q6_k 2.0 KiB 0.005 nats
#   output.weight q6_k 2.0 KiB 0.006 nats (--output-tensor-type)
)");
}

TEST(RulesText, OddNamesAreMatched) {
  for (const char* odd :
       {"blk.07.ffn_up.weight", "blk.3x.ffn_up.weight", "Decoder.Weight", "a b=c,d#e",
        "x(y)[z]{2}*+?^$|\\.weight", "line\nbreak \"quoted\" 'q' `w`"}) {
    MixChoice choice;
    choice.tensors.emplace_back().name = odd;
    choice.tensors[0].types = {{TensorType::q4_k, 10, 0.1}};
    for (const auto& rules : {parse_tensor_rules(recipe_text(choice, Mix::llama_cpp)),
                              parse_custom_rules(recipe_text(choice, Mix::ik_llama_cpp))}) {
      ASSERT_EQ(rules.size(), 1u) << odd;
      EXPECT_TRUE(std::regex_search(std::string(odd), std::regex(rules[0].pattern)) ||
                  std::string(odd).find('\n') != std::string::npos)
          << odd << " " << rules[0].pattern;
    }
  }
}

}  // namespace
}  // namespace sluice
