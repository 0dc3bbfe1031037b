// llama-quantize's command line under `sluice quantize` and `sluice plan`.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "support/gguf_builder.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

class ConversionOptions : public testing::Test {
 protected:
  ConversionOptions() {
    GgufBuilder model;
    model.string("general.architecture", "llama").u32("llama.block_count", 2);
    model.u32("llama.attention.head_count", 4);
    const Bytes halves(256 * 256 * 2);
    for (const char* name :
         {"token_embd.weight", "blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight",
          "blk.0.attn_output.weight", "blk.0.ffn_gate.weight", "blk.0.ffn_down.weight",
          "blk.0.ffn_up.weight", "blk.1.attn_q.weight", "blk.1.attn_qkv.weight",
          "blk.1.ffn_gate_inp.weight", "per_layer_token_embd.weight", "output.weight"}) {
      model.tensor(name, {256, 256}, 1, halves);
    }
    write_file(model_, model.build());
  }

  Finished sluice(std::vector<std::string> words) {
    words.insert(words.begin(), SLUICE_PROGRAM);
    return run(words);
  }

  /// What `sluice plan --json` says of the options and a type.
  nlohmann::json plan(std::vector<std::string> words, const std::string& type = "Q4_0") {
    words.insert(words.begin(), {"plan", "--json", "--no-estimate"});
    words.insert(words.end(), {model_, type});
    const Finished done = sluice(words);
    EXPECT_EQ(done.status, 0) << done.errors;
    return nlohmann::json::parse(done.out, nullptr, false);
  }

  static std::string type_of(const nlohmann::json& plan, const std::string& tensor) {
    for (const auto& each : plan["tensors"]) {
      if (each["name"] == tensor + ".weight") return each["type"];
    }
    return "none";
  }

  /// Expects wrong use, and a message with a part.
  void expect_refused(const std::vector<std::string>& options, const std::string& part) {
    std::vector<std::string> words = {"quantize"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {model_, output_, "Q4_0"});
    const Finished done = sluice(words);
    EXPECT_EQ(done.status, 2) << options.front() << "\n" << done.errors;
    EXPECT_NE(done.errors.find(part), std::string::npos) << done.errors;
    EXPECT_FALSE(fs::exists(output_));
  }

  TempFolder folder_;
  std::string model_ = folder_ / "model.gguf";
  std::string output_ = folder_ / "out.gguf";
};

TEST_F(ConversionOptions, TheOutputHasADefaultName) {
  EXPECT_EQ(sluice({"quantize", model_, "q4_0"}).status, 0);
  EXPECT_TRUE(fs::exists(folder_ / "ggml-model-Q4_0.gguf"));
  EXPECT_EQ(sluice({"quantize", model_, "7", "2"}).status, 0);
  EXPECT_TRUE(fs::exists(folder_ / "ggml-model-Q8_0.gguf"));
  EXPECT_EQ(sluice({"quantize", model_, "copy"}).status, 0);
  EXPECT_TRUE(fs::exists(folder_ / "ggml-model-COPY.gguf"));
  EXPECT_EQ(sluice({"quantize", model_, output_, "Q4_1", "0"}).status, 0);
  EXPECT_TRUE(fs::exists(output_));
}

TEST_F(ConversionOptions, WrongPlacesAreRefused) {
  for (const auto& [words, part] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"quantize", model_}, "type"},
           {{"quantize", model_, output_}, "no type is given"},
           {{"quantize", model_, "Q4_KM"}, "Did you mean Q4_K_M?"},
           {{"quantize", model_, output_, "Q4_KM"}, "Did you mean Q4_K_M?"},
           {{"quantize", model_, "IQ2_K_R4"}, "row-interleaved"},
           {{"quantize", model_, output_, "33"}, "no file type"},
           {{"quantize", model_, output_, "140"}, "no file type IQ4_K. Use --mix ik_llama.cpp"},
           {{"quantize", model_, output_, "Q4_0", "-1"}, "from 1 to 1024, or 0 for one a core"},
           {{"quantize", model_, output_, "Q4_0", "2x"}, "2x"},
           {{"quantize", model_, output_, "Q4_0", "5000"}, "5000"},
           {{"quantize", model_, "Q4_0", "2", "3"}, "Q4_0"},
           {{"quantize", model_, "", "Q4_0"}, "names no file"},
           {{"quantize", model_, output_, "Q4_0", "2", "3"}, "3"}}) {
    const Finished done = sluice(words);
    EXPECT_EQ(done.status, 2) << part << "\n" << done.errors;
    EXPECT_NE(done.errors.find(part), std::string::npos) << done.errors;
    EXPECT_FALSE(fs::exists(output_));
  }
}

TEST_F(ConversionOptions, DryRunWritesNothing) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"quantize", "--dry-run", model_, output_, "Q4_0"},
                                             {"quantize", "--dry-run", model_, "Q4_0"},
                                             {"plan", "--dry-run", model_, "Q4_0"}}) {
    const Finished done = sluice(words);
    EXPECT_EQ(done.status, 0) << done.errors;
    EXPECT_NE(done.out.find("blk.0.attn_q.weight"), std::string::npos) << done.out;
  }
  EXPECT_FALSE(fs::exists(output_));
  EXPECT_FALSE(fs::exists(folder_ / "ggml-model-Q4_0.gguf"));
  const Finished done =
      sluice({"quantize", "--dry-run", "--report", folder_ / "report", model_, "Q4_0"});
  EXPECT_NE(done.errors.find("a dry run writes no --report"), std::string::npos) << done.errors;
}

TEST_F(ConversionOptions, EachTypeOptionHasItsTensor) {
  const std::map<std::string, std::string> options = {
      {"--output-tensor-type", "output"},
      {"--token-embedding-type", "token_embd"},
      {"--per-layer-token-embedding-type", "per_layer_token_embd"},
      {"--ffn-gate-inp-type", "blk.1.ffn_gate_inp"},
      {"--attn-q-type", "blk.0.attn_q"},
      {"--attn-k-type", "blk.0.attn_k"},
      {"--attn-v-type", "blk.0.attn_v"},
      {"--attn-qkv-type", "blk.1.attn_qkv"},
      {"--attn-output-type", "blk.0.attn_output"},
      {"--ffn-gate-type", "blk.0.ffn_gate"},
      {"--ffn-down-type", "blk.0.ffn_down"},
      {"--ffn-up-type", "blk.0.ffn_up"}};
  for (const std::string mix : {"llama.cpp", "ik_llama.cpp"}) {
    for (const auto& [option, tensor] : options) {
      const auto json = plan({"--mix", mix, option, "Q5_1"});
      EXPECT_EQ(type_of(json, tensor), "q5_1") << mix << " " << option;
      EXPECT_EQ(type_of(plan({"--mix", mix}), tensor) == "q5_1", false) << tensor;
      EXPECT_TRUE(json["notes"].empty()) << json["notes"];
      expect_refused({option, "q5_11"}, "Did you mean q5_1?");
      expect_refused({option, "q5_0_r4"}, "row-interleaved");
      expect_refused({option, "i32"}, option + ": sluice does not make the type i32");
    }
  }
}

TEST_F(ConversionOptions, PureAndLeaveOutputTensor) {
  EXPECT_EQ(type_of(plan({}), "output"), "q6_k");
  EXPECT_EQ(type_of(plan({"--pure"}), "output"), "q4_0");
  EXPECT_EQ(type_of(plan({"--leave-output-tensor"}), "output"), "f16");
}

TEST_F(ConversionOptions, TensorTypesInTheOrderOfTheCommandLine) {
  const std::string file = folder_ / "types.txt";
  Bytes text;
  put_bytes(text, "attn_q=q5_0 attn_k=q5_0\nattn_v=q5_0", 35);
  write_file(file, text);
  auto json = plan(
      {"--tensor-type", "attn_q=q8_0", "--tensor-type-file", file, "--tensor-type", "attn_v=Q8_0"});
  EXPECT_EQ(type_of(json, "blk.0.attn_q"), "q5_0");
  EXPECT_EQ(type_of(json, "blk.0.attn_k"), "q5_0");
  EXPECT_EQ(type_of(json, "blk.0.attn_v"), "q8_0");
  json = plan({"--tensor-type-file", file, "--tensor-type", "attn_q=q8_0", "--tensor-type",
               "blk\\.1.*attn_q\\.=q4_1"});
  EXPECT_EQ(type_of(json, "blk.0.attn_q"), "q8_0");
  EXPECT_EQ(type_of(json, "blk.1.attn_q"), "q4_1");
  const std::string none = folder_ / "none";
  const Finished done = sluice({"plan", "--tensor-type-file", none, model_, "Q4_0"});
  EXPECT_EQ(done.status, 3) << done.errors;
  EXPECT_NE(done.errors.find(none), std::string::npos) << done.errors;
}

TEST_F(ConversionOptions, TheLastValueOfAnOptionCounts) {
  const auto json = plan({"--mix", "ik_llama.cpp", "--mix", "llama.cpp", "--pure", "--pure",
                          "--output-tensor-type", "q5_0", "--output-tensor-type", "q5_1"});
  EXPECT_EQ(type_of(json, "output"), "q5_1");
  expect_refused({"--prune-layers", "1", "--prune-layers", "0"}, "all layers would be pruned");
  EXPECT_EQ(plan({"--memory", "1K", "--memory", "64M"})["memory"]["enough"], true);
}

TEST_F(ConversionOptions, CustomTypes) {
  const auto json = plan({"--custom-q", "attn_q=q8_0,blk.*=q5_0", "--custom-q", "output=q4_1"});
  EXPECT_EQ(type_of(json, "blk.0.attn_q"), "q8_0");
  EXPECT_EQ(type_of(json, "blk.0.attn_output"), "q5_0");
  EXPECT_EQ(type_of(json, "output"), "q4_1");
}

TEST_F(ConversionOptions, RulesWithoutEffectAreNoted) {
  const Finished done =
      sluice({"quantize", "--tensor-type", "attn_w=q8_0", model_, output_, "Q4_0"});
  EXPECT_EQ(done.status, 0);
  EXPECT_NE(done.errors.find("attn_w=q8_0 has no effect"), std::string::npos) << done.errors;
  EXPECT_EQ(plan({"--custom-q", "nothing=q8_0"})["notes"].size(), 1u);
}

TEST_F(ConversionOptions, WishesAboutAMatrixWithoutEffectAreNoted) {
  const std::string matrix = SLUICE_TEST_DATA "/imatrix/tiny-llama.imatrix.gguf";
  for (const auto& [options, note] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--include-weights", "attn_q"}, "--include-weights has no effect without --imatrix"},
           {{"--exclude-weights", "attn_q"}, "--exclude-weights has no effect without --imatrix"},
           {{"--hide-imatrix"}, "--hide-imatrix has no effect without --imatrix"},
           {{"--imatrix", matrix, "--exclude-weights", "zzz", "--exclude-weights", "blk"},
            "--exclude-weights zzz matches nothing"},
           {{"--imatrix", matrix, "--include-weights", "zzz"}, "the importance matrix is not used"},
           // Its rows are of other layers.
           {{"--imatrix", matrix, "--include-weights", "blk.7."},
            " to quantize has a row in the importance matrix " + matrix}}) {
    const std::string notes = plan(options)["notes"].dump();
    EXPECT_NE(notes.find(note), std::string::npos) << notes;
  }
  expect_refused({"--imatrix", ""}, "--imatrix: names no file");
}

TEST_F(ConversionOptions, WrongRulesGetOneClearError) {
  for (const std::string option : {"--tensor-type", "--custom-q"}) {
    expect_refused({option, "attn_q"}, "NAME=TYPE");
    expect_refused({option, "=q8_0"}, "empty");
    expect_refused({option, "attn_q="}, "names no type");
    expect_refused({option, "attn_q=q9_0"}, "Did you mean");
    expect_refused({option, "attn_q=q8"}, "Did you mean q8_0?");
    expect_refused({option, "attn_q=iq2_bn"},
                   option + ": rule 'attn_q=iq2_bn': sluice does not make");
    expect_refused({option, "(attn=q8_0"}, "no regular expression");
    expect_refused({option, "((a{99}){99}){99}=q8_0"}, "too large");
    expect_refused({option, "attn_q=iq4_k"}, "--mix ik_llama.cpp");
  }
}

TEST_F(ConversionOptions, PatternsMayReferBackAndBeLong) {
  for (const std::string option : {"--tensor-type", "--custom-q"}) {
    EXPECT_EQ(type_of(plan({option, "(f)\\1n_up=q8_0"}), "blk.0.ffn_up"), "q8_0") << option;
    const std::string longer = std::string(5000, 'a') + "|ffn_up=q8_0";
    EXPECT_EQ(type_of(plan({option, longer}), "blk.0.ffn_up"), "q8_0") << option;
  }
}

TEST_F(ConversionOptions, WhatSluiceDoesNotDoIsRefusedByName) {
  expect_refused({"--repack"}, "-rtr");
  expect_refused({"--repack-pattern", "ffn"}, "--repack");
  expect_refused({"--extra-output-tensor", "q8_0"}, "--output-tensor-type");
  expect_refused({"--symmetric-q40"}, "Leave the option out");
  expect_refused({"--slow-iq2ks"}, "IQ2_K");
}

TEST_F(ConversionOptions, MetadataLayersAndImportance) {
  expect_refused({"--override-kv", "a=b"}, "KEY=TYPE:VALUE");
  expect_refused({"--prune-layers", "x"}, "no layer's number");
  expect_refused({"--prune-layers", "2"}, "from 0 to 1");
  expect_refused({"--include-weights", "a", "--exclude-weights", "b"}, "excludes");
  EXPECT_EQ(plan({"--prune-layers", "0"})["tensors"].size(), 6u);
  // Read before the mix is asked.
  EXPECT_EQ(type_of(plan({"--override-kv", "llama.expert_count=int:8"}), "blk.0.attn_v"), "q8_0");
}

TEST_F(ConversionOptions, PartialRequantLeavesWhatIsThere) {
  write_file(output_, Bytes(1));
  const Finished done = sluice({"quantize", "--partial-requant", model_, output_, "Q4_0"});
  EXPECT_EQ(done.status, 0) << done.errors;
  EXPECT_NE(done.errors.find("exists"), std::string::npos) << done.errors;
  EXPECT_EQ(fs::file_size(output_), 1u);
}

TEST_F(ConversionOptions, MaxBufferSizeIsAnotherNameForMemory) {
  const Finished done = sluice({"quantize", "--max-buffer-size", "1K", model_, output_, "Q4_0"});
  EXPECT_EQ(done.status, 2);
  EXPECT_NE(done.errors.find("the least is"), std::string::npos) << done.errors;
  EXPECT_EQ(sluice({"quantize", "--max-buffer-size", "64M", model_, output_, "Q4_0"}).status, 0);
}

}  // namespace
