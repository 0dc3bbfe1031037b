// Files that are no language models: projectors, diffusion models, adapters.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "recipe/choose_types.h"
#include "recipe/model.h"
#include "sluice/error.h"

namespace sluice::recipe_test {
namespace {

std::map<std::string, std::string> types_of(const RecipeOptions& wanted, const gguf::Header& model,
                                            RecipeContext context = {}) {
  const ChosenTypes chosen = choose_types(wanted, model, context);
  std::map<std::string, std::string> types;
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    types[model.tensors[i].name] = name(chosen.tensors[i].type);
  }
  return types;
}

gguf::Header model_of(const char* architecture, const std::vector<gguf::Tensor>& tensors) {
  gguf::Header model;
  add_metadata(model, "general.architecture", architecture);
  model.tensors = tensors;
  return model;
}

gguf::Header projector(const std::vector<std::string>& towers) {
  gguf::Header model = model_of("clip", {});
  add_metadata(model, "general.type", "mmproj");
  add_metadata(model, "clip.vision.block_count", 2);
  add_metadata(model, "clip.vision.attention.head_count", 4);
  for (const std::string& tower : towers) {
    for (const char* layer : {".blk.0.", ".blk.1."}) {
      for (const char* of : {"attn_q", "attn_v", "attn_out", "ffn_up", "ffn_down"}) {
        model.tensors.push_back(
            make_tensor(tower + layer + of + ".weight", {256, 256}, TensorType::f16));
      }
    }
  }
  model.tensors.push_back(make_tensor("v.patch_embd.weight", {14, 14, 3, 256}, TensorType::f16));
  model.tensors.push_back(make_tensor("v.position_embd.weight", {256, 257}, TensorType::f16));
  model.tensors.push_back(make_tensor("mm.0.weight", {256, 256}, TensorType::f16));
  return model;
}

// llama.cpp v0.5.0 makes such a file of each of these types.
TEST(Projector, IsQuantizedAsAModelOfNoLayers) {
  gguf::Header model = projector({"v"});
  for (const bool counts_blocks : {false, true}) {  // which llama.cpp does not read
    if (counts_blocks) add_metadata(model, "clip.block_count", 24);
    for (const auto& [file_type, own] :
         {std::pair("Q8_0", "q8_0"), {"Q6_K", "q6_k"}, {"Q4_0", "q4_0"}, {"F16", "f16"}}) {
      for (const auto& [name, type] : types_of(options(Mix::llama_cpp, file_type), model)) {
        const bool kept =
            name.find("patch_embd") != name.npos || name.find("position") != name.npos;
        EXPECT_EQ(type, kept ? "f16" : own) << name << " as " << file_type;
      }
    }
    // Each ffn_down is beyond the last eighth of no layers, and of the values the second.
    for (const auto& [name, type] : types_of(options(Mix::llama_cpp, "Q4_K_M"), model)) {
      const bool better = name.find("ffn_down") != name.npos || name == "v.blk.1.attn_v.weight";
      const bool kept = name.find("patch_embd") != name.npos || name.find("position") != name.npos;
      EXPECT_EQ(type, kept ? "f16" : better ? "q6_k" : "q4_k") << name;
    }
  }
}

TEST(Projector, HasAMixOfEachFileType) {
  const gguf::Header model = projector({"v", "a"});
  for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
    for (const FileType& file_type : file_types()) {
      if (!file_type.in(mix)) continue;
      EXPECT_NO_THROW(choose_types({.mix = mix, .file_type = &file_type}, model)) << file_type.name;
    }
  }
}

TEST(Diffusion, NeedsNoHyperparameters) {
  const std::vector<gguf::Tensor> tensors = {
      make_tensor("img_in.weight", {64, 256}),
      make_tensor("double_blocks.0.img_attn.qkv.weight", {256, 768}),
      make_tensor("final_layer.linear.weight", {256, 64})};
  gguf::Header nameless;
  nameless.tensors = tensors;
  for (const gguf::Header& model : {model_of("flux", tensors), nameless}) {
    for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
      for (const FileType& file_type : file_types()) {
        // MXFP4_MOE is told by its experts.
        if (!file_type.in(mix) || file_type.copy || file_type.name == "MXFP4_MOE") continue;
        EXPECT_EQ(types_of({.mix = mix, .file_type = &file_type}, model)
                      .at("double_blocks.0.img_attn.qkv.weight"),
                  name(file_type.type))
            << file_type.name;
      }
    }
  }
}

TEST(Layers, AreAskedForOnlyWhereARuleDoes) {
  struct Case {
    Mix mix;
    const char* file_type;
    const char* tensor;
    bool has_imatrix;
    const char* type;  ///< null: cannot be chosen
  };
  constexpr Mix kLlama = Mix::llama_cpp;
  constexpr Mix kIk = Mix::ik_llama_cpp;
  for (const Case& each : {Case{kLlama, "Q8_0", "blk.0.ffn_down.weight", true, "q8_0"},
                           {kLlama, "Q6_K", "blk.0.ffn_down.weight", true, "q6_k"},
                           {kLlama, "Q4_0", "blk.0.ffn_down.weight", false, "q4_0"},
                           {kLlama, "Q4_0", "blk.0.ffn_down.weight", true, nullptr},
                           {kLlama, "Q4_0", "blk.0.ffn_up.weight", true, "q4_0"},
                           {kLlama, "Q4_K_M", "blk.0.ffn_down.weight", true, nullptr},
                           {kLlama, "Q4_K_M", "blk.0.attn_q.weight", true, "q4_k"},
                           {kLlama, "Q4_K_M", "blk.0.ffn_down.bias", true, "bf16"},
                           {kLlama, "IQ3_XS", "blk.0.ffn_gate.weight", true, nullptr},
                           {kIk, "Q8_0", "blk.0.ffn_down.weight", true, "q8_0"},
                           {kIk, "IQ6_K", "blk.0.attn_v.weight", true, "iq6_k"},
                           {kIk, "Q4_K_S", "blk.0.ffn_down.weight", true, nullptr},
                           // Whether these are of 70 billion weights, the layers tell.
                           {kLlama, "Q8_0", "blk.0.attn_v.weight", true, "q8_0"},
                           {kLlama, "Q4_K_S", "blk.9.attn_v.weight", true, "q5_k"},
                           {kLlama, "Q3_K_M", "blk.0.attn_qkv.weight", true, "q5_k"},
                           {kLlama, "Q3_K_S", "blk.0.attn_v.weight", true, nullptr},
                           {kIk, "Q8_0", "blk.0.attn_v.weight", true, "q8_0"},
                           {kIk, "Q4_K_M", "blk.0.attn_v.weight", true, nullptr}}) {
    gguf::Header model = model_of("llama", {make_tensor(each.tensor, {512, 512})});
    add_metadata(model, "llama.attention.head_count", 8);
    add_metadata(model, "llama.attention.head_count_kv", 4);
    const RecipeOptions wanted = options(each.mix, each.file_type);
    const RecipeContext context{.has_imatrix = each.has_imatrix};
    SCOPED_TRACE(std::string(each.file_type) + " of " + each.tensor);
    if (each.type != nullptr) {
      EXPECT_EQ(types_of(wanted, model, context).at(each.tensor), each.type);
      continue;
    }
    try {
      choose_types(wanted, model, context);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input_format);
      EXPECT_NE(std::string(error.what()).find("llama.block_count"), std::string::npos);
      EXPECT_NE(error.context().cure.find("--pure"), std::string::npos);
    }
  }
}

gguf::Header adapter() {
  gguf::Header model = model_of("llama", {});
  add_metadata(model, "general.type", "adapter");
  add_metadata(model, "adapter.type", "lora");
  model.tensors = {make_tensor("blk.0.attn_v.weight.lora_a", {256, 8}, TensorType::f32),
                   make_tensor("blk.0.attn_v.weight.lora_b", {8, 256}, TensorType::f32),
                   make_tensor("blk.0.ffn_down.weight.lora_a", {512, 32}, TensorType::f32),
                   make_tensor("blk.0.ffn_down.weight.lora_b", {32, 256}, TensorType::f32),
                   make_tensor("blk.0.attn_norm.weight.lora_a", {256}, TensorType::f32)};
  return model;
}

// The factors are all that is in it, and llama.cpp multiplies with any type.
TEST(Adapter, HasItsFactorsConverted) {
  using TypeOfTensor = std::map<std::string, std::string>;
  for (const bool pure : {false, true}) {
    EXPECT_EQ(types_of(options(Mix::llama_cpp, "F16", pure), adapter()),
              (TypeOfTensor{{"blk.0.attn_v.weight.lora_a", "f16"},
                            {"blk.0.attn_v.weight.lora_b", "f16"},
                            {"blk.0.ffn_down.weight.lora_a", "f16"},
                            {"blk.0.ffn_down.weight.lora_b", "f16"},
                            {"blk.0.attn_norm.weight.lora_a", "f32"}}));
    // Rows of 8 have no blocks. No rule asks for layers, of which the adapter tells nothing.
    EXPECT_EQ(types_of(options(Mix::llama_cpp, "Q4_K_M", pure), adapter()),
              (TypeOfTensor{{"blk.0.attn_v.weight.lora_a", "q4_k"},
                            {"blk.0.attn_v.weight.lora_b", "f16"},
                            {"blk.0.ffn_down.weight.lora_a", "q4_k"},
                            {"blk.0.ffn_down.weight.lora_b", "q5_0"},
                            {"blk.0.attn_norm.weight.lora_a", "f32"}}));
  }
  RecipeOptions wanted = options(Mix::llama_cpp, "Q4_K_M");
  wanted.tensor_types = {{"attn_v", TensorType::q8_0}};
  wanted.kinds.ffn_down = TensorType::q6_k;
  EXPECT_EQ(types_of(wanted, adapter()).at("blk.0.attn_v.weight.lora_a"), "q8_0");
  EXPECT_EQ(types_of(wanted, adapter()).at("blk.0.ffn_down.weight.lora_a"), "q6_k");
}

TEST(Empty, TensorsAreKept) {
  for (const std::vector<std::uint64_t>& shape :
       {std::vector<std::uint64_t>{0}, {0, 256}, {256, 0}, {256, 4, 0}, {0, 0, 0, 0}}) {
    gguf::Header model = model_of("qwen_image", {make_tensor("blk.0.ffn_down.weight", shape)});
    for (const char* file_type : {"F32", "Q8_0", "IQ1_M", "Q4_K_M"}) {
      for (const bool pure : {false, true}) {
        RecipeOptions wanted = options(Mix::llama_cpp, file_type, pure);
        wanted.tensor_types = {{"ffn", TensorType::q6_k}};
        const TypeChoice choice = choose_types(wanted, model).tensors.front();
        EXPECT_EQ(choice.type, TensorType::bf16);
        EXPECT_EQ(choice.rule, "kept: empty");
        EXPECT_EQ(choice.decider, Decider::kept);
      }
    }
  }
  gguf::Header router = model_of("llama", {make_tensor("blk.0.ffn_gate_inp.weight", {0, 8})});
  RecipeOptions wanted = options(Mix::llama_cpp, "Q8_0");
  wanted.ffn_gate_inp = TensorType::q8_0;
  EXPECT_EQ(choose_types(wanted, router).tensors.front().type, TensorType::bf16);
}

// What has 4.25 bits a weight where it was published holds no more with 4.5 or 16.
TEST(Published, BlocksStayWhereATypeWouldOnlyTakeMoreRoom) {
  const std::string experts = "blk.0.ffn_up_exps.weight";
  gguf::Header model = model_of("gpt-oss", {make_tensor(experts, {256, 64, 4}, TensorType::mxfp4)});
  add_metadata(model, "gpt-oss.block_count", 1);
  const auto type_of = [&](const RecipeOptions& wanted, bool published) {
    return choose_types(wanted, model, {.published = published}).tensors.front().type;
  };
  for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
    for (const char* larger : {"F32", "F16", "BF16", "Q8_0", "Q4_K_M"}) {
      EXPECT_EQ(type_of(options(mix, larger), true), TensorType::mxfp4) << larger;
      EXPECT_NE(type_of(options(mix, larger), false), TensorType::mxfp4) << larger;
      EXPECT_NE(type_of(options(mix, larger, true), true), TensorType::mxfp4) << larger;
    }
    EXPECT_EQ(type_of(options(mix, "IQ2_XXS"), true), TensorType::iq2_xxs);
  }
  RecipeOptions asked = options(Mix::llama_cpp, "Q4_K_M");
  asked.tensor_types = {{"ffn_up_exps", TensorType::q8_0}};
  EXPECT_EQ(type_of(asked, true), TensorType::q8_0);
  EXPECT_THAT(choose_types(options(Mix::llama_cpp, "BF16"), model, {.published = true}).notes,
              testing::ElementsAre(testing::HasSubstr("1 tensor stays mxfp4, as published")));
}

}  // namespace
}  // namespace sluice::recipe_test
