#include "mix/for_target.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "recipe/model.h"
#include "sluice/error.h"

namespace sluice::mix {
namespace {

using recipe_test::options;
using recipe_test::read_map;

/// Costs for a model's tensors that fall as bits rise; what the options decide has one type.
MixChoice known_costs(const gguf::Header& model, const RecipeOptions& recipe) {
  std::mt19937 random(17);
  const ChosenTypes decided = choose_types(recipe, model);
  MixChoice choice;
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const gguf::Tensor& from = model.tensors[i];
    TensorChoice& tensor = choice.tensors.emplace_back();
    tensor.name = from.name;
    const TypeChoice& type = decided.tensors[i];
    tensor.kept = type.decider == Decider::kept;
    const double scale = std::exp2(static_cast<double>(random() % 8));
    const auto add = [&](TensorType each) {
      tensor.types.push_back(
          {each, byte_size(each, from.elements()), scale * std::exp2(-2 * bits_per_weight(each))});
    };
    if (type.decider != Decider::mix) {
      tensor.rule = type.rule;
      add(type.type);
    } else if (from.row_elements() % 256 != 0) {
      add(TensorType::f16);
    } else {
      for (const TensorType each : {TensorType::iq1_s, TensorType::iq2_xxs, TensorType::iq3_s,
                                    TensorType::q4_k, TensorType::q6_k, TensorType::q8_0}) {
        add(each);
      }
    }
  }
  return choice;
}

std::uint64_t weights_of(const gguf::Header& model) {
  std::uint64_t weights = 0;
  for (const gguf::Tensor& tensor : model.tensors) weights += tensor.elements();
  return weights;
}

double share(std::uint64_t bytes, double of) {
  return static_cast<double>(bytes) / of;
}

class ForTarget : public testing::TestWithParam<const char*> {
 protected:
  const gguf::Header model = read_map(GetParam()).model;
  const RecipeOptions recipe = options(Mix::llama_cpp, "Q4_K_M");
  const OutputFacts output{.header_bytes = 5000000, .weights = weights_of(model)};
};

TEST_P(ForTarget, SizeIsMetFromBelow) {
  MixChoice choice = known_costs(model, recipe);
  for (const double bits : {2.1, 2.6, 3.3, 4.5, 6.0}) {
    const double size = bits * static_cast<double>(output.weights) / 8;
    choose_for({.size = static_cast<std::uint64_t>(size)}, output, choice);
    EXPECT_LE(share(choice.bytes, size), 1);
    EXPECT_GE(share(choice.bytes, size), 0.995) << bits;
    const std::uint64_t whole = choice.bytes;
    // Without the header there is as much less.
    choose_for({.bpw = bits}, output, choice);
    EXPECT_LE(share(choice.bytes - output.header_bytes, size), 1);
    EXPECT_GE(share(choice.bytes - output.header_bytes, size), 0.995) << bits;
    EXPECT_GE(choice.bytes, whole);
  }
}

TEST_P(ForTarget, RulesGiveWhatWasChosen) {
  for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
    RecipeOptions asked = options(mix, "IQ1_S");
    asked.tensor_types = {{"attn_v", TensorType::q5_k}};
    asked.token_embedding = TensorType::q5_0;
    MixChoice choice = known_costs(model, asked);
    choose_for({.bpw = 3}, output, choice);
    const RecipeOptions chosen = recipe_with(asked, choice.tensors);
    const ChosenTypes types = choose_types(chosen, model);
    for (std::size_t i = 0; i < choice.tensors.size(); ++i) {
      const TensorChoice& tensor = choice.tensors[i];
      EXPECT_EQ(name(types.tensors[i].type), name(tensor.types[tensor.chosen].type)) << tensor.name;
    }
    EXPECT_EQ(types.notes, choose_types(asked, model).notes);
  }
}

TEST_P(ForTarget, TheFrontierIsNotAboveWhatIsChosen) {
  MixChoice choice = known_costs(model, recipe);
  choose_for({.bpw = 3}, output, choice);
  ASSERT_GT(choice.frontier.size(), 20u);
  for (std::size_t i = 1; i < choice.frontier.size(); ++i) {
    EXPECT_GT(choice.frontier[i].bytes, choice.frontier[i - 1].bytes);
    EXPECT_LT(choice.frontier[i].divergence, choice.frontier[i - 1].divergence);
  }
  for (std::size_t i = 0; i < choice.frontier.size(); i += 20) {
    const MixPoint point = choice.frontier[i];
    choose_for({.size = point.bytes}, output, choice);
    EXPECT_LE(choice.bytes, point.bytes);
    EXPECT_LE(choice.divergence, point.divergence * 1.001);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ForTarget,
                         testing::Values("llama-4-maverick", "deepseek-v3", "llama-3.2-1b",
                                         "mistral-7b"));

TEST(ForOneTarget, PlacesHaveTheirOwn) {
  const gguf::Header model = read_map("llama-4-maverick").model;
  MixChoice choice = known_costs(model, options(Mix::llama_cpp, "Q4_K_M"));
  const MixTarget target{.places = {{"_exps", 96000000000}, {"*", 8000000000}}};
  choose_for(target, {}, choice);
  std::uint64_t experts = 0;
  std::uint64_t rest = 0;
  for (const TensorChoice& tensor : choice.tensors) {
    const bool is_experts = tensor.name.find("_exps") != tensor.name.npos;
    (is_experts ? experts : rest) += tensor.types[tensor.chosen].bytes;
  }
  EXPECT_GT(share(experts, 96e9), 0.995);
  EXPECT_LE(share(experts, 96e9), 1);
  EXPECT_GT(share(rest, 8e9), 0.995);
  EXPECT_LE(share(rest, 8e9), 1);
}

TEST(ForOneTarget, RefusalsNameTheTarget) {
  const gguf::Header model = read_map("llama-3.2-1b").model;
  MixChoice choice = known_costs(model, options(Mix::llama_cpp, "Q4_K_M"));
  const auto error_of = [&](const MixTarget& target) {
    try {
      choose_for(target, {.weights = weights_of(model)}, choice);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::usage);
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(error_of({.size = 1, .bpw = 2}),
            "an output has one size: --target-size, --target-bpw or --target. Pass one of them");
  EXPECT_TRUE(
      error_of({.size = 1000000}).starts_with("the output cannot be as small as 976.6 KiB"));
  EXPECT_TRUE(error_of({.bpw = 1.2}).starts_with("the output with 1.2 bits a weight cannot be"));
  EXPECT_TRUE(error_of({.places = {{"ffn", 5}, {"*", 1000000000}}})
                  .starts_with("what is in the place 'ffn' cannot be as small as 5 B"));
}

TEST(ForOneTarget, TheFileTypeHasBlocksAndMostOfTheWeights) {
  const auto file_type = [](std::vector<TypeCost> types, Mix mix = Mix::llama_cpp) {
    std::vector<TensorChoice> tensors;
    for (const TypeCost& type : types) {
      tensors.emplace_back().name = "x";
      tensors.back().types = {type};
    }
    return recipe_with(options(mix, "IQ1_S"), tensors).file_type->name;
  };
  using T = TensorType;
  EXPECT_EQ(file_type({{T::q6_k, 100}, {T::iq2_s, 60}, {T::f16, 10000}}), "IQ2_M");
  EXPECT_EQ(file_type({{T::q6_k, 100}, {T::q2_k, 30}}), "Q6_K");
  EXPECT_EQ(file_type({{T::f16, 10000}}), "Q8_0");
  EXPECT_EQ(file_type({{T::iq4_k, 100}, {T::q6_k, 30}}, Mix::ik_llama_cpp), "IQ4_K");
}

}  // namespace
}  // namespace sluice::mix
