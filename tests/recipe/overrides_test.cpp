// The types that the user asks for, against what llama.cpp's own program makes of the same options.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>

#include "recipe/folded_map.h"
#include "recipe/model.h"
#include "recipe/recipe_text.h"
#include "sluice/error.h"

namespace sluice::recipe_test {
namespace {

/// The options of a test in a file, as the command line has them.
RecipeOptions recipe_of(const nlohmann::json& test) {
  const bool ik = test.value("mix", "llama.cpp") == "ik_llama.cpp";
  RecipeOptions recipe =
      options(ik ? Mix::ik_llama_cpp : Mix::llama_cpp, test["type"].get<std::string>());
  const std::map<std::string, std::optional<TensorType>*> types = {
      {"--output-tensor-type", &recipe.output_tensor},
      {"--token-embedding-type", &recipe.token_embedding},
      {"--attn-k-type", &recipe.kinds.attn_k},
      {"--attn-v-type", &recipe.kinds.attn_v},
      {"--attn-output-type", &recipe.kinds.attn_output},
      {"--ffn-down-type", &recipe.kinds.ffn_down}};
  for (const auto& [option, value] : test["options"].items()) {
    if (option == "--pure") {
      recipe.pure = true;
    } else if (option == "--leave-output-tensor") {
      recipe.leave_output = true;
    } else if (option == "--tensor-type") {
      for (const auto& rule : value) {
        recipe.tensor_types.push_back(parse_tensor_rules(rule.get<std::string>()).front());
      }
    } else if (option == "--custom-q") {
      for (const auto& rules : value) {
        const auto more = parse_custom_rules(rules.get<std::string>());
        recipe.custom_types.insert(recipe.custom_types.end(), more.begin(), more.end());
      }
    } else {
      *types.at(option) = parse_tensor_type(value.get<std::string>());
    }
  }
  return recipe;
}

/// Compares all tests of tests/data/mixes/NAME.json.
void expect_equal(const std::string& name, std::size_t tests_at_least) {
  std::ifstream file(std::string(SLUICE_TEST_DATA) + "/mixes/" + name + ".json");
  const auto tests = nlohmann::json::parse(file);
  EXPECT_GE(tests.size(), tests_at_least);
  for (const auto& test : tests) {
    const gguf::Header model = read_map(test["model"].get<std::string>()).model;
    const auto expected = unfold(model, test["types"]);
    const ChosenTypes chosen = choose_types(recipe_of(test), model);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(sluice::name(chosen.tensors[i].type), expected[i])
          << test["model"] << " " << test["type"] << " " << test["options"] << ": "
          << model.tensors[i].name << " (" << chosen.tensors[i].rule << ")";
    }
  }
}

TEST(Overrides, EqualLlamaCpp) {
  expect_equal("overrides", 17);
}

TEST(Overrides, PopularRecipesGiveThePeersTypes) {
  expect_equal("recipes", 15);
}

/// A model with one tensor of each kind.
gguf::Header small_model(bool tied = false) {
  gguf::Header model;
  add_metadata(model, "general.architecture", "llama");
  add_metadata(model, "llama.block_count", 1);
  add_metadata(model, "llama.attention.head_count", 8);
  for (const char* name :
       {"token_embd", "per_layer_token_embd", "blk.0.attn_q", "blk.0.attn_k", "blk.0.attn_v",
        "blk.0.attn_qkv", "blk.0.attn_output", "blk.0.ffn_gate", "blk.0.ffn_down", "blk.0.ffn_up",
        "blk.0.ffn_gate_inp", "blk.0.attn_q_norm"}) {
    model.tensors.push_back(make_tensor(std::string(name) + ".weight", {512, 512}));
  }
  if (!tied) model.tensors.push_back(make_tensor("output.weight", {512, 512}));
  return model;
}

std::string type_of(const RecipeOptions& recipe, const std::string& tensor,
                    const gguf::Header& model = small_model()) {
  const ChosenTypes chosen = choose_types(recipe, model);
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    if (model.tensors[i].name == tensor + ".weight") {
      return std::string(name(chosen.tensors[i].type));
    }
  }
  return "none";
}

RecipeOptions with_rules(Mix mix, std::string_view type, const std::vector<std::string>& rules,
                         std::string_view custom = "") {
  RecipeOptions recipe = options(mix, type);
  for (const std::string& rule : rules) {
    const std::vector<TypeRule> more = parse_tensor_rules(rule);
    recipe.tensor_types.insert(recipe.tensor_types.end(), more.begin(), more.end());
  }
  if (!custom.empty()) recipe.custom_types = parse_custom_rules(custom);
  return recipe;
}

TEST(Overrides, TheLastTensorTypeAndTheFirstCustomTypeCount) {
  EXPECT_EQ(
      type_of(with_rules(Mix::llama_cpp, "Q4_K_M", {"attn=q6_k", "attn_q=q8_0"}), "blk.0.attn_q"),
      "q8_0");
  EXPECT_EQ(
      type_of(with_rules(Mix::llama_cpp, "Q4_K_M", {"attn_q=q8_0", "attn=q6_k"}), "blk.0.attn_q"),
      "q6_k");
  const std::string custom = R"(attn=q6_k,attn_q=q8_0,ffn_(up|gate)\.=iq4_nl)";
  for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
    const RecipeOptions recipe = with_rules(mix, "Q4_K_M", {}, custom);
    EXPECT_EQ(type_of(recipe, "blk.0.attn_q"), "q6_k");
    EXPECT_EQ(type_of(recipe, "blk.0.ffn_up"), "iq4_nl");
  }
}

TEST(Overrides, CustomTypesBeatKindsAndMixButNotSingleTensors) {
  RecipeOptions recipe =
      with_rules(Mix::ik_llama_cpp, "Q4_K_M", {}, "attn_v=q8_0,output=q5_1,token_embd=q5_0");
  recipe.kinds.attn_v = TensorType::q6_k;
  recipe.kinds.attn_output = TensorType::q6_k;
  recipe.kinds.ffn_down = TensorType::iq4_nl;
  recipe.output_tensor = TensorType::q8_0;
  EXPECT_EQ(type_of(recipe, "blk.0.attn_v"), "q8_0");
  EXPECT_EQ(type_of(recipe, "blk.0.attn_output"), "q5_1");
  EXPECT_EQ(type_of(recipe, "blk.0.ffn_down"), "iq4_nl");
  EXPECT_EQ(type_of(recipe, "output"), "q8_0");
  EXPECT_EQ(type_of(recipe, "token_embd"), "q5_0");
  // Of a tied embedding the output's type is a rule of the mix.
  EXPECT_EQ(type_of(recipe, "token_embd", small_model(true)), "q5_0");
  recipe.custom_types.clear();
  EXPECT_EQ(type_of(recipe, "token_embd", small_model(true)), "q8_0");
  recipe.token_embedding = TensorType::q4_1;
  EXPECT_EQ(type_of(recipe, "token_embd", small_model(true)), "q4_1");
}

TEST(Overrides, EachTensorSaysWhoDecided) {
  RecipeOptions recipe =
      with_rules(Mix::llama_cpp, "Q4_K_M", {"attn_v=q8_0", "q_norm=q8_0"}, "attn_k=q8_0");
  recipe.token_embedding = TensorType::q5_0;
  recipe.kinds.ffn_down = TensorType::q4_k;  // even if the mix would have it so
  recipe.leave_output = true;
  const std::map<std::string, Decider> expected = {{"token_embd", Decider::user},
                                                   {"per_layer_token_embd", Decider::user},
                                                   {"blk.0.attn_q", Decider::mix},
                                                   {"blk.0.attn_k", Decider::user},
                                                   {"blk.0.attn_v", Decider::user},
                                                   {"blk.0.attn_qkv", Decider::mix},
                                                   {"blk.0.attn_output", Decider::mix},
                                                   {"blk.0.ffn_gate", Decider::mix},
                                                   {"blk.0.ffn_down", Decider::user},
                                                   {"blk.0.ffn_up", Decider::mix},
                                                   {"blk.0.ffn_gate_inp", Decider::kept},
                                                   {"blk.0.attn_q_norm", Decider::kept},
                                                   {"output", Decider::kept}};
  const gguf::Header model = small_model();
  const ChosenTypes chosen = choose_types(recipe, model);
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const std::string name = model.tensors[i].name.substr(0, model.tensors[i].name.rfind('.'));
    EXPECT_EQ(chosen.tensors[i].decider, expected.at(name)) << name;
  }
  EXPECT_EQ(chosen.tensors.size(), expected.size());
}

TEST(Overrides, PureLooksAtTensorTypesOnly) {
  RecipeOptions recipe = with_rules(Mix::ik_llama_cpp, "Q4_K_M", {"ffn_up=q6_k"}, "ffn_down=q8_0");
  recipe.kinds.attn_q = TensorType::q8_0;
  recipe.pure = true;
  EXPECT_EQ(type_of(recipe, "blk.0.ffn_up"), "q6_k");
  EXPECT_EQ(type_of(recipe, "blk.0.ffn_down"), "q4_k");
  EXPECT_EQ(type_of(recipe, "blk.0.attn_q"), "q4_k");
}

TEST(Overrides, EachKindHasItsOption) {
  RecipeOptions recipe = options(Mix::ik_llama_cpp, "Q4_K_S");
  recipe.kinds = {.attn_q = TensorType::q4_0,
                  .attn_k = TensorType::q4_1,
                  .attn_v = TensorType::q5_0,
                  .attn_qkv = TensorType::q5_1,
                  .attn_output = TensorType::q8_0,
                  .ffn_gate = TensorType::q2_k,
                  .ffn_down = TensorType::q6_k,
                  .ffn_up = TensorType::iq4_nl};
  recipe.per_layer_token_embedding = TensorType::bf16;
  recipe.ffn_gate_inp = TensorType::q8_0;
  const std::map<std::string, std::string> expected = {
      {"blk.0.attn_q", "q4_0"},         {"blk.0.attn_k", "q4_1"},
      {"blk.0.attn_v", "q5_0"},         {"blk.0.attn_qkv", "q5_1"},
      {"blk.0.attn_output", "q8_0"},    {"blk.0.ffn_gate", "q2_k"},
      {"blk.0.ffn_down", "q6_k"},       {"blk.0.ffn_up", "iq4_nl"},
      {"per_layer_token_embd", "bf16"}, {"blk.0.ffn_gate_inp", "q8_0"},
      {"token_embd", "q4_k"},           {"blk.0.attn_q_norm", "bf16"}};
  for (const auto& [tensor, type] : expected) EXPECT_EQ(type_of(recipe, tensor), type) << tensor;
  recipe.kinds.attn_qkv.reset();
  EXPECT_EQ(type_of(recipe, "blk.0.attn_qkv"), "q4_0");
  // The mixes of few bits of ik_llama.cpp ask for attn_output only.
  recipe.file_type = find_file_type("IQ2_XXS");
  EXPECT_EQ(type_of(recipe, "blk.0.attn_output"), "q8_0");
  EXPECT_EQ(type_of(recipe, "blk.0.attn_q"), "iq2_xxs");
  recipe.mix = Mix::llama_cpp;
  EXPECT_EQ(type_of(recipe, "blk.0.attn_q"), "q4_0");
}

TEST(Overrides, FallBackWhereRowsAreNoWholeBlocks) {
  gguf::Header model = small_model();
  model.tensors.push_back(make_tensor("blk.0.x.weight", {96, 4}));
  RecipeOptions recipe = with_rules(Mix::llama_cpp, "Q4_K_M", {R"(\.x\.=q6_k)"});
  EXPECT_EQ(type_of(recipe, "blk.0.x", model), "q8_0");
}

bool has_note(const ChosenTypes& chosen, const std::string& part) {
  return std::ranges::any_of(chosen.notes,
                             [&](const std::string& note) { return note.find(part) != note.npos; });
}

TEST(Overrides, WhatHasNoEffectIsNoted) {
  RecipeOptions recipe =
      with_rules(Mix::llama_cpp, "Q4_K_M", {"ffn_dwon=q6_k", "ffn_down=q6_k"}, "attn_w=q8_0");
  recipe.kinds.attn_k = TensorType::q8_0;
  recipe.per_layer_token_embedding = TensorType::q8_0;
  gguf::Header model = small_model();
  std::erase_if(model.tensors, [](const auto& t) { return t.name.starts_with("per_layer"); });
  ChosenTypes chosen = choose_types(recipe, model);
  EXPECT_EQ(chosen.notes.size(), 2u);
  EXPECT_TRUE(has_note(chosen,
                       "2 rules have no effect: --tensor-type ffn_dwon=q6_k, --custom-q "
                       "attn_w=q8_0 on any tensor of this model"));
  EXPECT_TRUE(has_note(chosen, "--per-layer-token-embedding-type q8_0 has no effect"));
  recipe.pure = true;
  EXPECT_TRUE(
      has_note(choose_types(recipe, model), "--attn-k-type q8_0 has no effect with --pure"));
  EXPECT_TRUE(has_note(choose_types(recipe, model),
                       "2 rules have no effect: --tensor-type ffn_dwon=q6_k on any tensor of this "
                       "model; --custom-q attn_w=q8_0 with --pure"));
  recipe.pure = false;
  recipe.file_type = find_file_type("F16");
  EXPECT_TRUE(has_note(choose_types(recipe, model),
                       "--tensor-type ffn_dwon=q6_k, --tensor-type "
                       "ffn_down=q6_k, --custom-q attn_w=q8_0 with F16"));
  recipe.file_type = find_file_type("IQ1_M");
  recipe.mix = Mix::ik_llama_cpp;
  EXPECT_TRUE(has_note(choose_types(recipe, model), "--attn-k-type q8_0 has no effect with IQ1_M"));

  chosen = choose_types(with_rules(Mix::llama_cpp, "Q4_K_M", {"attn=q6_k", "attn_q=q8_0"}), model);
  ASSERT_EQ(chosen.notes.size(), 1u);
  EXPECT_TRUE(has_note(chosen, "the last one counts"));
  EXPECT_TRUE(choose_types(options(Mix::llama_cpp, "Q4_K_M"), model).notes.empty());
}

// Published recipes name every tensor.
TEST(Overrides, WhatARuleFindsDoneIsNotNoted) {
  for (const char* rules : {"attn_q_norm=bf16,ffn_gate_inp=bf16", "norm=bf16\nffn=q8_0"}) {
    EXPECT_TRUE(
        choose_types(with_rules(Mix::llama_cpp, "Q4_K_M", {rules}), small_model()).notes.empty());
    EXPECT_TRUE(choose_types(with_rules(Mix::ik_llama_cpp, "Q4_K_M", {}, rules), small_model())
                    .notes.empty());
  }
}

TEST(Overrides, ARuleOnAKeptTensorIsToldWhyItDoesNothing) {
  const auto note = [](const RecipeOptions& recipe) {
    const ChosenTypes chosen = choose_types(recipe, small_model());
    EXPECT_EQ(chosen.notes.size(), 1u);
    return chosen.notes.empty() ? "" : chosen.notes.front();
  };
  EXPECT_EQ(note(with_rules(Mix::llama_cpp, "Q4_K_M", {"ffn_gate_inp=q8_0"})),
            "--tensor-type ffn_gate_inp=q8_0 has no effect on tensors that keep their types (kept: "
            "router; --ffn-gate-inp-type is for routers)");
  EXPECT_EQ(note(with_rules(Mix::ik_llama_cpp, "Q4_K_M", {}, "_norm=q8_0")),
            "--custom-q _norm=q8_0 has no effect on tensors that keep their types (kept: norm)");
  RecipeOptions recipe = with_rules(Mix::llama_cpp, "Q4_K_M", {}, "^output=q8_0");
  recipe.leave_output = true;
  EXPECT_EQ(note(recipe),
            "--custom-q ^output=q8_0 has no effect on tensors that keep their types "
            "(--leave-output-tensor)");
  EXPECT_EQ(note(with_rules(Mix::llama_cpp, "Q4_K_M", {}, "attn=q8_0,attn_q=q6_k")),
            "--custom-q attn_q=q6_k has no effect where another rule counts (--custom-q)");
}

TEST(Overrides, ManyRulesWithoutEffectAreOneNote) {
  gguf::Header model = small_model();
  std::string rules;
  for (int i = 0; i < 200; ++i) {
    model.tensors.push_back(make_tensor("blk." + std::to_string(i) + ".x_norm.weight", {512, 1}));
    rules += "^blk\\." + std::to_string(i) + "\\.x_norm=q8_0\n";
  }
  const ChosenTypes chosen =
      choose_types(with_rules(Mix::llama_cpp, "Q4_K_M", {}, rules + "ffn_dwon=q6_k"), model);
  ASSERT_EQ(chosen.notes.size(), 1u);
  EXPECT_EQ(chosen.notes.front(),
            "201 rules have no effect: --custom-q ffn_dwon=q6_k on any tensor of this model; "
            "--custom-q ^blk\\.0\\.x_norm=q8_0, --custom-q ^blk\\.1\\.x_norm=q8_0, --custom-q "
            "^blk\\.2\\.x_norm=q8_0 and 197 more on tensors that keep their types (kept: 1-D)");
}

TEST(Overrides, RefuseTypesThatThePeerCannotLoad) {
  for (const auto& recipe : {with_rules(Mix::llama_cpp, "Q4_K_M", {"attn_q=iq4_k"}),
                             with_rules(Mix::llama_cpp, "Q4_K_M", {}, "attn_q=q6_0")}) {
    EXPECT_THROW(choose_types(recipe, small_model()), Error);
  }
  RecipeOptions recipe = options(Mix::ik_llama_cpp, "Q4_K_M");
  for (const TensorType type : {TensorType::i32, TensorType::q8_k}) {
    recipe.tensor_types = {{"attn_q", type}};
    EXPECT_THROW(choose_types(recipe, small_model()), Error);
    recipe.tensor_types.clear();
    recipe.kinds.attn_q = type;
    try {
      choose_types(recipe, small_model());
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("--attn-q-type"), std::string::npos);
    }
    recipe.kinds.attn_q.reset();
  }
  EXPECT_NO_THROW(
      choose_types(with_rules(Mix::ik_llama_cpp, "Q4_K_M", {"attn_q=iq4_k"}), small_model()));
}

}  // namespace
}  // namespace sluice::recipe_test
