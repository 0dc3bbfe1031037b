#include "sluice/recipe.h"

#include <gtest/gtest.h>

#include <cctype>

#include "recipe/model.h"
#include "sluice/error.h"

namespace sluice::recipe_test {
namespace {

gguf::Header small_llama() {
  gguf::Header model;
  add_metadata(model, "general.architecture", "llama");
  add_metadata(model, "llama.block_count", 8);
  add_metadata(model, "llama.attention.head_count", 8);
  return model;
}

TypeChoice choose_one(const RecipeOptions& wanted, gguf::Header model, gguf::Tensor tensor) {
  model.tensors.push_back(std::move(tensor));
  return choose_types(wanted, model).back();
}

void expect_error(ErrorCode code, const std::string& in_cure, const RecipeOptions& wanted,
                  const gguf::Header& model) {
  try {
    choose_types(wanted, model);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(error.context().cure.find(in_cure), std::string::npos) << error.what();
  }
}

TEST(FileTypes, AreFoundInAnyLetterCase) {
  for (const FileType& type : file_types()) {
    std::string lower(type.name);
    for (char& c : lower) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(find_file_type(lower), &type) << lower;
  }
  EXPECT_EQ(find_file_type("IQ1_"), nullptr);
  EXPECT_EQ(find_file_type("IQ1_MM"), nullptr);
  EXPECT_EQ(find_file_type(""), nullptr);
}

TEST(FileTypes, HaveTheNumbersOfThePeers) {
  const std::map<std::string, std::uint32_t> numbers = {
      {"F32", 0},      {"F16", 1},     {"Q4_0", 2},    {"Q4_1", 3},    {"Q8_0", 7},
      {"Q5_0", 8},     {"Q5_1", 9},    {"Q2_K", 10},   {"Q4_K_S", 14}, {"Q4_K_M", 15},
      {"Q4_K", 15},    {"Q5_K_S", 16}, {"Q5_K_M", 17}, {"Q5_K", 17},   {"Q6_K", 18},
      {"IQ2_XXS", 19}, {"IQ4_NL", 25}, {"IQ1_M", 31},  {"BF16", 32},   {"Q6_0", 135},
      {"IQ2_K", 138},  {"IQ3_K", 139}, {"IQ4_K", 140}};
  EXPECT_EQ(file_types().size(), numbers.size());
  for (const auto& [name, number] : numbers) {
    const FileType* type = find_file_type(name);
    ASSERT_NE(type, nullptr) << name;
    EXPECT_EQ(type->number, number) << name;
  }
}

struct Fallback {
  const char* file_type;
  const char* row_of_96[2];  ///< llama.cpp, ik_llama.cpp; null: not to be asked for
};

// What the peers' programs write for a row of 96 weights with their option --pure.
constexpr Fallback kFallbacks[] = {
    {"IQ1_M", {"iq4_nl", "iq4_nl"}},  {"IQ2_XXS", {"iq4_nl", "iq4_nl"}},
    {"Q2_K", {"q4_0", "iq4_nl"}},     {"Q4_K_S", {"q5_0", "q5_0"}},
    {"Q4_K_M", {"q5_0", "q5_0"}},     {"Q4_K", {"q5_0", "q5_0"}},
    {"Q5_K_S", {"q5_1", "q6_0"}},     {"Q5_K_M", {"q5_1", "q6_0"}},
    {"Q5_K", {"q5_1", "q6_0"}},       {"Q6_K", {"q8_0", "q8_0"}},
    {"IQ4_NL", {"iq4_nl", "iq4_nl"}}, {"Q4_0", {"q4_0", "q4_0"}},
    {"Q4_1", {"q4_1", "q4_1"}},       {"Q5_0", {"q5_0", "q5_0"}},
    {"Q5_1", {"q5_1", "q5_1"}},       {"Q8_0", {"q8_0", "q8_0"}},
    {"F32", {"f32", "f32"}},          {"F16", {"f16", "f16"}},
    {"BF16", {"bf16", "bf16"}},       {"Q6_0", {nullptr, "q6_0"}},
    {"IQ2_K", {nullptr, "iq4_nl"}},   {"IQ3_K", {nullptr, "iq4_nl"}},
    {"IQ4_K", {nullptr, "q5_0"}},
};

TEST(Pure, GivesEveryFileTypeWithItsFallbacks) {
  EXPECT_EQ(std::size(kFallbacks), file_types().size());
  for (const Fallback& expected : kFallbacks) {
    const TensorType type = find_file_type(expected.file_type)->type;
    const bool has_blocks = info(type).block_elements > 1;
    for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
      const char* row_of_96 = expected.row_of_96[mix == Mix::ik_llama_cpp];
      if (row_of_96 == nullptr) continue;
      const auto type_of_row = [&](std::uint64_t row) {
        // No metadata: --pure asks for none.
        return choose_one(options(mix, expected.file_type, true), {},
                          make_tensor("blk.0.attn_v.weight", {row, 64}, TensorType::f32))
            .type;
      };
      EXPECT_EQ(type_of_row(512), type) << expected.file_type;
      EXPECT_EQ(name(type_of_row(96)), row_of_96) << expected.file_type;
      EXPECT_EQ(type_of_row(100), has_blocks ? TensorType::f16 : type) << expected.file_type;
    }
  }
}

TEST(Mix, OfPlainTypesIsTheTypeItself) {
  for (const char* file_type : {"F32", "F16", "BF16", "Q8_0"}) {
    for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
      ExpectedMap map = read_map("mixtral-8x7b");
      const auto choices = choose_types(options(mix, file_type), map.model);
      for (std::size_t i = 0; i < choices.size(); ++i) {
        const gguf::Tensor& tensor = map.model.tensors[i];
        const bool kept = tensor.type == TensorType::f32;  // norms and routers
        EXPECT_EQ(choices[i].type, kept ? tensor.type : find_file_type(file_type)->type)
            << tensor.name;
      }
    }
  }
}

TEST(Mix, ReadsHeadCountsGivenForEachLayer) {
  gguf::Header model = small_llama();
  add_metadata(model, "llama.attention.head_count_kv", {2, 8, 8, 8, 8, 8, 8, 8});
  const auto values = make_tensor("blk.5.attn_v.weight", {512, 128});
  EXPECT_EQ(choose_one(options(Mix::llama_cpp, "IQ1_M"), model, values).type, TensorType::q4_k);
  EXPECT_EQ(choose_one(options(Mix::ik_llama_cpp, "IQ1_M"), model, values).type, TensorType::iq4_k);
}

TEST(Mix, OutputOfFalconIsQ8_0EvenInWholeSuperBlocks) {
  gguf::Header model;
  add_metadata(model, "general.architecture", "falcon");
  add_metadata(model, "falcon.block_count", 60);
  const auto output = make_tensor("output.weight", {8192, 65024});
  EXPECT_EQ(choose_one(options(Mix::llama_cpp, "IQ1_M"), model, output).type, TensorType::q8_0);
  EXPECT_EQ(choose_one(options(Mix::ik_llama_cpp, "IQ1_M"), model, output).type, TensorType::q8_0);
}

TEST(Mix, KeepsTensorsThatAreNoMatricesOfWeights) {
  for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
    for (const bool pure : {false, true}) {
      const auto kept = [&](gguf::Tensor tensor) {
        const TensorType source = tensor.type;
        const TypeChoice choice =
            choose_one(options(mix, "IQ1_M", pure), small_llama(), std::move(tensor));
        EXPECT_TRUE(choice.type != source || choice.rule.starts_with("kept")) << choice.rule;
        return choice.type == source && !choice.needs_importance;
      };
      EXPECT_TRUE(kept(make_tensor("blk.0.attn_q.bias", {512, 512})));
      EXPECT_TRUE(kept(make_tensor("blk.0.attn_q.weight", {512})));
      EXPECT_TRUE(kept(make_tensor("blk.0.attn_q.weight", {512, 1, 1, 1})));
      EXPECT_TRUE(kept(make_tensor("blk.0.attn_q.weight", {512, 512}, TensorType::i32)));
      EXPECT_TRUE(kept(make_tensor("blk.0.ffn_gate_inp.weight", {512, 512})));
      EXPECT_FALSE(kept(make_tensor("blk.0.attn_q.weight", {512, 512}, TensorType::q8_0)));
      EXPECT_FALSE(kept(make_tensor("blk.0.attn_q.weight", {512, 1, 2})));
    }
  }
}

TEST(Importance, IsNeededForVeryLowBitTypesOnly) {
  const auto needs = [](Mix mix, const char* file_type, gguf::Tensor tensor) {
    return choose_one(options(mix, file_type, true), small_llama(), std::move(tensor))
        .needs_importance;
  };
  for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
    const auto query = make_tensor("blk.0.attn_q.weight", {512, 512});
    EXPECT_TRUE(needs(mix, "IQ1_M", query));
    EXPECT_TRUE(needs(mix, "IQ2_XXS", query));
    EXPECT_FALSE(needs(mix, "Q2_K", query));
    EXPECT_FALSE(needs(mix, "IQ4_NL", query));
    // Falls back to IQ4_NL, is copied, or belongs to a tensor for which no matrix has a row.
    EXPECT_FALSE(needs(mix, "IQ1_M", make_tensor("blk.0.attn_q.weight", {96, 512})));
    EXPECT_FALSE(
        needs(mix, "IQ1_M", make_tensor("blk.0.attn_q.weight", {512, 512}, TensorType::iq1_m)));
    EXPECT_FALSE(needs(mix, "IQ1_M", make_tensor("token_embd.weight", {512, 512})));
    EXPECT_FALSE(needs(mix, "IQ1_M", make_tensor("output.weight", {512, 512})));
  }
  const auto per_layer = make_tensor("per_layer_token_embd.weight", {512, 512});
  EXPECT_FALSE(needs(Mix::llama_cpp, "IQ1_M", per_layer));
  EXPECT_TRUE(needs(Mix::ik_llama_cpp, "IQ1_M", per_layer));
}

TEST(Rule, SaysWhy) {
  const auto choice = choose_one(options(Mix::llama_cpp, "IQ1_M"), small_llama(),
                                 make_tensor("blk.0.ffn_down.weight", {96, 512}));
  EXPECT_EQ(choice.rule, "early ffn_down; rows of 96 are no whole blocks of q2_k");
}

TEST(Errors, NameTheCure) {
  const gguf::Header model = small_llama();
  expect_error(ErrorCode::usage, "IQ1_M", {}, model);
  expect_error(ErrorCode::usage, "--pure", options(Mix::llama_cpp, "Q4_K_M"), model);
  for (const char* ik_only : {"Q6_0", "IQ2_K", "IQ3_K", "IQ4_K"}) {
    expect_error(ErrorCode::usage, "--mix ik_llama.cpp", options(Mix::llama_cpp, ik_only, true),
                 model);
  }
}

TEST(Errors, NameMissingMetadata) {
  gguf::Header model;
  expect_error(ErrorCode::input_format, "--pure", options(Mix::llama_cpp, "IQ1_M"), model);
  add_metadata(model, "general.architecture", "llama");
  expect_error(ErrorCode::input_format, "--pure", options(Mix::llama_cpp, "IQ1_M"), model);
  add_metadata(model, "llama.block_count", 8);
  EXPECT_NO_THROW(choose_types(options(Mix::llama_cpp, "IQ1_M"), model));
}

}  // namespace
}  // namespace sluice::recipe_test
