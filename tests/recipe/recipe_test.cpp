#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "recipe/choose_types.h"
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
  return choose_types(wanted, model).tensors.back();
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

struct Fallback {
  TensorType type;
  const char* row_of_96[2];  ///< llama.cpp, ik_llama.cpp; null: unknown there
};

// What the peers' programs write for a row of 96 weights with their option --pure.
constexpr Fallback kFallbacks[] = {
    {TensorType::iq1_s, {"iq4_nl", "iq4_nl"}},
    {TensorType::iq1_m, {"iq4_nl", "iq4_nl"}},
    {TensorType::iq2_xxs, {"iq4_nl", "iq4_nl"}},
    {TensorType::iq2_xs, {"iq4_nl", "iq4_nl"}},
    {TensorType::iq2_s, {"iq4_nl", "iq4_nl"}},
    {TensorType::iq3_xxs, {"iq4_nl", "iq4_nl"}},
    {TensorType::iq3_s, {"iq4_nl", "iq4_nl"}},
    {TensorType::iq4_xs, {"iq4_nl", "iq4_nl"}},
    {TensorType::q2_k, {"q4_0", "iq4_nl"}},
    {TensorType::q3_k, {"q4_0", "iq4_nl"}},
    {TensorType::q4_k, {"q5_0", "q5_0"}},
    {TensorType::q5_k, {"q5_1", "q6_0"}},
    {TensorType::q6_k, {"q8_0", "q8_0"}},
    {TensorType::iq4_nl, {"iq4_nl", "iq4_nl"}},
    {TensorType::q4_0, {"q4_0", "q4_0"}},
    {TensorType::q4_1, {"q4_1", "q4_1"}},
    {TensorType::q5_0, {"q5_0", "q5_0"}},
    {TensorType::q5_1, {"q5_1", "q5_1"}},
    {TensorType::q8_0, {"q8_0", "q8_0"}},
    {TensorType::f32, {"f32", "f32"}},
    {TensorType::f16, {"f16", "f16"}},
    {TensorType::bf16, {"bf16", "bf16"}},
    {TensorType::tq1_0, {"q4_0", nullptr}},
    {TensorType::tq2_0, {"q4_0", nullptr}},
    {TensorType::mxfp4, {"mxfp4", "mxfp4"}},
    {TensorType::q6_0, {nullptr, "q6_0"}},
    {TensorType::iq2_k, {nullptr, "iq4_nl"}},
    {TensorType::iq3_k, {nullptr, "iq4_nl"}},
    {TensorType::iq4_k, {nullptr, "q5_0"}},
    {TensorType::iq5_k, {nullptr, "q6_0"}},
    {TensorType::iq6_k, {nullptr, "q8_0"}},
    {TensorType::iq1_kt, {nullptr, "iq4_nl"}},
    {TensorType::iq2_kt, {nullptr, "iq4_nl"}},
    {TensorType::iq3_kt, {nullptr, "iq4_nl"}},
    {TensorType::iq4_kt, {nullptr, "iq4_nl"}},
    {TensorType::iq2_ks, {nullptr, "iq4_nl"}},
    {TensorType::iq2_kl, {nullptr, "iq4_nl"}},
    {TensorType::iq3_ks, {nullptr, "iq4_nl"}},
    {TensorType::iq4_kss, {nullptr, "iq4_nl"}},
    {TensorType::iq4_ks, {nullptr, "iq4_nl"}},
    {TensorType::iq5_ks, {nullptr, "q5_0"}},
    {TensorType::iq1_s_r4, {nullptr, "iq1_s_r4"}},
    {TensorType::iq1_m_r4, {nullptr, "iq1_m_r4"}},
    // llama.cpp's program ends where Q1_0 and NVFP4 do not fit.
    {TensorType::q1_0, {"iq4_nl", nullptr}},
    {TensorType::nvfp4, {"iq4_nl", nullptr}},
    {TensorType::q2_0, {"q4_0", nullptr}},
};

TEST(Pure, GivesEveryFileTypeWithItsFallbacks) {
  for (const FileType& file_type : file_types()) {
    if (file_type.copy) continue;
    const auto expected =
        std::ranges::find(kFallbacks, file_type.type, [](const Fallback& f) { return f.type; });
    ASSERT_NE(expected, std::end(kFallbacks)) << file_type.name;
    const bool has_blocks = info(file_type.type).block_elements > 1;
    for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
      if (!file_type.in(mix)) continue;
      const auto type_of_row = [&](std::uint64_t row) {
        // No metadata: --pure asks for none.
        return choose_one({.mix = mix, .file_type = &file_type, .pure = true}, {},
                          make_tensor("blk.0.attn_v.weight", {row, 64}, TensorType::f32))
            .type;
      };
      EXPECT_EQ(type_of_row(512), file_type.type) << file_type.name;
      EXPECT_EQ(name(type_of_row(96)), expected->row_of_96[mix == Mix::ik_llama_cpp])
          << file_type.name;
      EXPECT_EQ(type_of_row(100), has_blocks ? TensorType::f16 : file_type.type) << file_type.name;
    }
  }
}

TEST(Mix, OfPlainTypesIsTheTypeItself) {
  for (const char* file_type : {"F32", "F16", "BF16", "Q8_0"}) {
    for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
      ExpectedMap map = read_map("mixtral-8x7b");
      const auto choices = choose_types(options(mix, file_type), map.model).tensors;
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

// ik_llama.cpp gives shared values no better type in drafts made as Q4_K_M and Q5_K_M.
TEST(Mix, ValuesOfADraftAreNotBetterForBeingShared) {
  const auto type_of = [](const char* architecture, const char* file_type) {
    gguf::Header model;
    add_metadata(model, "general.architecture", architecture);
    const std::string prefix = architecture;
    add_metadata(model, prefix + ".block_count", 8);
    add_metadata(model, prefix + ".attention.head_count", 8);
    add_metadata(model, prefix + ".attention.head_count_kv", 2);
    // Eight of them, of which the second is no important one.
    for (int layer = 0; layer < 8; ++layer) {
      model.tensors.push_back(
          make_tensor("blk." + std::to_string(layer) + ".attn_v.weight", {256, 64}));
    }
    return name(choose_types(options(Mix::ik_llama_cpp, file_type), model).tensors[1].type);
  };
  EXPECT_EQ(type_of("qwen3", "Q4_K_M"), "q5_k");
  EXPECT_EQ(type_of("dflash-draft", "Q4_K_M"), "q4_k");
  EXPECT_EQ(type_of("qwen3", "Q5_K_M"), "q6_k");
  EXPECT_EQ(type_of("dflash-draft", "Q5_K_M"), "q5_k");
  EXPECT_EQ(type_of("dflash-draft", "Q3_K_S"), "q4_k") << "but in other file types";
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
        return choice.type == source && choice.importance == ImportanceNeed::none;
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
    return choose_one(options(mix, file_type, true), small_llama(), std::move(tensor)).importance ==
           ImportanceNeed::vital;
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

TEST(Rule, RowsThatAreNoGroupsHaveThePlainType) {
  const auto pure = options(Mix::ik_llama_cpp, "IQ1_S_R4", true);
  const auto chosen = [&](const char* name, std::vector<std::uint64_t> shape) {
    return choose_one(pure, small_llama(), make_tensor(name, std::move(shape)));
  };
  EXPECT_EQ(chosen("blk.0.ffn_up.weight", {96, 512}).type, TensorType::iq1_s_r4);
  EXPECT_EQ(chosen("blk.0.ffn_up.weight", {512, 6}).type, TensorType::iq1_s);
  EXPECT_EQ(chosen("blk.0.ffn_up.weight", {96, 6}).type, TensorType::iq4_nl);
  EXPECT_EQ(chosen("blk.0.ffn_up_exps.weight", {512, 6, 4}).type, TensorType::iq1_s);
  EXPECT_EQ(chosen("blk.0.ffn_up_exps.weight", {512, 8, 3}).type, TensorType::iq1_s_r4);
  EXPECT_EQ(chosen("token_embd.weight", {512, 512}).type, TensorType::iq1_s);
  EXPECT_EQ(chosen("blk.0.ffn_up.weight", {512, 6}).rule,
            "pure; its rows are no whole groups of iq1_s_r4");
  EXPECT_EQ(chosen("token_embd.weight", {512, 512}).rule,
            "pure; rows of an embedding cannot be iq1_s_r4");
  EXPECT_EQ(chosen("blk.0.ffn_up.weight", {80, 512}).rule,
            "pure; rows of 80 are no whole blocks of iq1_s_r4");
}

TEST(Errors, NameTheCure) {
  const gguf::Header model = small_llama();
  expect_error(ErrorCode::usage, "IQ1_M", {}, model);
  for (const char* ik_only : {"Q6_0", "IQ2_K", "IQ3_K", "IQ4_K", "MXFP4"}) {
    expect_error(ErrorCode::usage, "--mix ik_llama.cpp", options(Mix::llama_cpp, ik_only, true),
                 model);
  }
  expect_error(ErrorCode::usage, "--mix llama.cpp", options(Mix::ik_llama_cpp, "TQ1_0"), model);
}

TEST(Errors, NameMissingMetadata) {
  gguf::Header model;
  model.tensors.push_back(make_tensor("blk.0.ffn_down.weight", {512, 512}));
  const RecipeOptions wanted = options(Mix::llama_cpp, "IQ1_M");
  expect_error(ErrorCode::input_format, "--override-kv general.architecture=", wanted, model);
  add_metadata(model, "general.architecture", "llama");
  expect_error(ErrorCode::input_format, "--override-kv llama.block_count=int", wanted, model);
  expect_error(ErrorCode::input_format, "--pure", wanted, model);
  add_metadata(model, "llama.block_count", 8);
  EXPECT_NO_THROW(choose_types(wanted, model));
}

}  // namespace
}  // namespace sluice::recipe_test
