// What the output has other than its source: metadata, layers, and what it tells of the importance
// matrix; and what a resumed run holds against changed options.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>

#include "plan/model_edits.h"
#include "sluice/error.h"
#include "sluice/gguf.h"
#include "sluice/quantize.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

using namespace testing_support;

constexpr int kLayers = 4;

class Edits : public testing::Test {
 protected:
  Edits() {
    GgufBuilder model;
    model.string("general.architecture", "llama")
        .u32("llama.block_count", kLayers)
        .u32("llama.attention.head_count", 4)
        .i32s("llama.attention.head_count_kv", {1, 2, 3, 4})
        .string("general.name", "before");
    GgufBuilder matrix;
    matrix.string("general.type", "imatrix")
        .strings("imatrix.datasets", {"secret.txt"})
        .u32("imatrix.chunk_count", 7)
        .u32("imatrix.chunk_size", 512);
    for (int layer = 0; layer < kLayers; ++layer) {
      for (const char* kind : {"attn_v", "ffn_down"}) {
        const std::string name = "blk." + std::to_string(layer) + "." + kind + ".weight";
        // Each tensor's weights are all alike, so that it is known by them.
        model.tensor(name, {256, 4}, 0, bytes_of(std::vector<float>(1024, weight(layer, kind))));
        matrix.tensor(name + ".in_sum2", {256}, 0, bytes_of(std::vector<float>(256, 1.0f)));
        matrix.tensor(name + ".counts", {1}, 0, bytes_of(std::vector<float>{1.0f}));
      }
    }
    write_file(options_.input, model.build());
    write_file(imatrix_, matrix.build());
    options_.file_type = find_file_type("F32");
    options_.threads = 1;
  }

  static float weight(int layer, const std::string& kind) {
    return static_cast<float>(layer + 1) * (kind == "attn_v" ? 1.0f : 100.0f);
  }

  gguf::Header made() {
    Observer nobody;
    quantize(options_, nobody);
    bytes_ = read_file(options_.output);
    return *gguf::parse_header(bytes_, bytes_.size(), options_.output);
  }

  float first_weight(const gguf::Header& header, const std::string& name) const {
    for (const gguf::Tensor& tensor : header.tensors) {
      if (tensor.name != name) continue;
      float value = 0;
      std::memcpy(&value, bytes_.data() + header.data_offset + tensor.offset, sizeof(value));
      return value;
    }
    return -1;
  }

  std::string complaint() {
    try {
      plan(options_);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  TempFolder folder_;
  std::string imatrix_ = folder_ / "imatrix.gguf";
  QuantizeOptions options_ = [this] {
    QuantizeOptions options;
    options.input = folder_ / "in.gguf";
    options.output = folder_ / "out.gguf";
    return options;
  }();
  Bytes bytes_;
};

TEST_F(Edits, MetadataIsSet) {
  for (const char* text :
       {"general.name=str:after: it", "x.int=int:42", "x.negative=int:-3", "x.float=float:0.5",
        "x.bool=bool:true", "x.int=int:43", "general.file_type=int:7"}) {
    options_.edits.metadata.push_back(parse_metadata_override(text));
  }
  const gguf::Header header = made();
  EXPECT_EQ(header.find("general.name")->as_string(), "after: it");
  EXPECT_EQ(header.find("x.int")->as_uint(), 43u) << "the last counts";
  EXPECT_EQ(header.find("x.int")->type, gguf::ValueType::u32);
  EXPECT_EQ(header.find("x.negative")->type, gguf::ValueType::i32);
  EXPECT_EQ(header.find("x.float")->type, gguf::ValueType::f32);
  EXPECT_EQ(header.find("x.bool")->type, gguf::ValueType::boolean);
  EXPECT_EQ(header.find("general.file_type")->as_uint(), 7u) << "the user's word counts";
}

TEST_F(Edits, MetadataIsAskedByTheMix) {
  options_.file_type = find_file_type("Q4_0");
  options_.edits.metadata.push_back(parse_metadata_override("llama.expert_count=int:8"));
  const PlanView view = plan(options_);
  EXPECT_EQ(view.tensors.front().name, "blk.0.attn_v.weight");
  EXPECT_EQ(view.tensors.front().type, TensorType::q8_0);
}

TEST(MetadataOverride, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", "a", "a=", "a=int", "=int:1", "a=int:", "a=int:x", "a=int:1.5", "a=int:99999999999",
        "a=float:x", "a=float:inf", "a=bool:1", "a=bool:True", "a=long:1", "a=str:\xff",
        "general.alignment=int:64", "split.count=int:2"}) {
    EXPECT_THROW(parse_metadata_override(text), Error) << text;
  }
  EXPECT_EQ(parse_metadata_override("a=str:").value.as_string(), "");
  EXPECT_THROW(parse_metadata_override(std::string(200, 'k') + "=int:1"), Error);
}

TEST_F(Edits, LayersAreLeftOut) {
  options_.edits.pruned_layers = parse_layers(" 2, 0,\t2 ");
  const gguf::Header header = made();
  ASSERT_EQ(header.tensors.size(), 4u);
  EXPECT_EQ(first_weight(header, "blk.0.attn_v.weight"), weight(1, "attn_v"));
  EXPECT_EQ(first_weight(header, "blk.1.ffn_down.weight"), weight(3, "ffn_down"));
  EXPECT_EQ(header.find("llama.block_count")->as_uint(), 2u);
  EXPECT_EQ(header.find("llama.attention.head_count_kv")->as_uints(),
            (std::vector<std::uint64_t>{2, 4}));
}

TEST_F(Edits, PrunedLayersKeepTheirOwnImportance) {
  // Only layer 3 has importance values; it becomes layer 2.
  GgufBuilder matrix;
  matrix.string("general.type", "imatrix")
      .strings("imatrix.datasets", {"x"})
      .u32("imatrix.chunk_count", 1)
      .u32("imatrix.chunk_size", 512)
      .tensor("blk.3.ffn_down.weight.in_sum2", {256}, 0, bytes_of(std::vector<float>(256, 1.0f)))
      .tensor("blk.3.ffn_down.weight.counts", {1}, 0, bytes_of(std::vector<float>{1.0f}));
  write_file(imatrix_, matrix.build());
  options_.imatrix = imatrix_;
  options_.pure = true;
  options_.file_type = find_file_type("IQ1_M");
  options_.edits.pruned_layers = {1};
  const PlanView view = plan(options_);
  EXPECT_EQ(std::ranges::count(view.missing_importance, "blk.2.ffn_down.weight"), 0);
  EXPECT_EQ(view.missing_importance.size(), 5u);
}

TEST_F(Edits, LayersThatAreNotThereAreRefused) {
  options_.edits.pruned_layers = {4};
  EXPECT_NE(complaint().find("from 0 to 3"), std::string::npos) << complaint();
  options_.edits.pruned_layers = {0, 1, 2, 3};
  EXPECT_NE(complaint().find("all layers"), std::string::npos) << complaint();
  for (const char* text : {"", ",", "1,", "a", "1,b", "1 2", "-1", "1.5", "99999999999"}) {
    EXPECT_THROW(parse_layers(text), Error) << text;
  }
}

TEST_F(Edits, COPYKeepsTypesAndFileType) {
  options_.file_type = find_file_type("COPY");
  options_.edits.pruned_layers = {0};
  const gguf::Header header = made();
  EXPECT_EQ(header.tensors.size(), 6u);
  EXPECT_EQ(header.tensors.front().type, TensorType::f32);
  EXPECT_EQ(header.find("general.file_type"), nullptr);
}

TEST_F(Edits, TheImportanceMatrixCanBeHidden) {
  options_.imatrix = imatrix_;
  EXPECT_EQ(made().find("quantize.imatrix.file")->as_string(), "imatrix.gguf");
  options_.hide_imatrix = true;
  const gguf::Header header = made();
  EXPECT_EQ(header.find("quantize.imatrix.file")->as_string(), "top_secret");
  EXPECT_EQ(header.find("quantize.imatrix.dataset")->as_string(), "top_secret");
  EXPECT_EQ(header.find("quantize.imatrix.entries_count")->as_uint(), 0u);
  EXPECT_EQ(header.find("quantize.imatrix.chunks_count")->as_uint(), 0u);
}

TEST_F(Edits, SomeWeightsGoWithoutImportance) {
  options_.imatrix = imatrix_;
  options_.pure = true;
  options_.file_type = find_file_type("IQ1_M");
  EXPECT_TRUE(plan(options_).missing_importance.empty());
  options_.use.exclude = {"attn_v", "blk.3"};
  EXPECT_EQ(plan(options_).missing_importance.size(), 5u);
  options_.use = {.include = {"ffn_down"}, .exclude = {}};
  EXPECT_EQ(plan(options_).missing_importance.size(), 4u);
  options_.ignore_imatrix_rules = true;
  EXPECT_EQ(made().find("quantize.imatrix.entries_count")->as_uint(), 4u);
  // Without any, it is as if there were no matrix.
  options_.use = {.include = {"nothing"}, .exclude = {}};
  EXPECT_EQ(made().find("quantize.imatrix.file"), nullptr);
  options_.use = {.include = {""}, .exclude = {}};
  EXPECT_NE(complaint().find("empty name"), std::string::npos) << complaint();
}

TEST_F(Edits, WhatIsExcludedGetsNoOtherTensorsImportanceEither) {
  GgufBuilder model;
  model.tensor("blk.0.ffn_gate.weight", {256, 4}, 0, bytes_of(std::vector<float>(1024, 1.0f)))
      .tensor("blk.0.ffn_up.weight", {256, 4}, 0, bytes_of(std::vector<float>(1024, 1.0f)));
  write_file(options_.input, model.build());
  GgufBuilder matrix;
  matrix.string("general.type", "imatrix")
      .strings("imatrix.datasets", {"x"})
      .u32("imatrix.chunk_count", 1)
      .u32("imatrix.chunk_size", 512)
      .tensor("blk.0.ffn_up.weight.in_sum2", {256}, 0, bytes_of(std::vector<float>(256, 1.0f)))
      .tensor("blk.0.ffn_up.weight.counts", {1}, 0, bytes_of(std::vector<float>{1.0f}));
  write_file(imatrix_, matrix.build());
  options_.imatrix = imatrix_;
  options_.pure = true;
  options_.file_type = find_file_type("IQ1_M");
  EXPECT_TRUE(plan(options_).missing_importance.empty());
  options_.use.exclude = {"ffn_gate"};
  EXPECT_EQ(plan(options_).missing_importance, std::vector<std::string>{"blk.0.ffn_gate.weight"});
}

TEST_F(Edits, AnOutputThatIsThereCanBeLeftAlone) {
  made();
  const auto before = std::filesystem::last_write_time(options_.output);
  options_.skip_existing = true;
  options_.file_type = find_file_type("F16");
  Observer nobody;
  EXPECT_TRUE(quantize(options_, nobody).tensors.empty());
  EXPECT_EQ(std::filesystem::last_write_time(options_.output), before);
  std::filesystem::remove(options_.output);
  EXPECT_FALSE(quantize(options_, nobody).tensors.empty());
}

TEST_F(Edits, AQuantizedSourceNeedsAWord) {
  // Q8_0 too, as in llama-quantize.
  options_.file_type = find_file_type("Q8_0");
  options_.pure = true;
  made();
  options_.input = options_.output;
  options_.output = folder_ / "again.gguf";
  EXPECT_EQ(complaint(), "") << "copied";
  options_.file_type = find_file_type("Q4_0");
  EXPECT_NE(complaint().find("--allow-requantize"), std::string::npos) << complaint();
  options_.allow_requantize = true;
  EXPECT_EQ(complaint(), "");
}

// Stops a run after some tensors.
class StopHalfway : public Observer {
 public:
  explicit StopHalfway(std::atomic<bool>& stop) : stop_(stop) {}
  void tensor_done(const TensorReport&, std::size_t index, std::size_t count) override {
    if (index == count / 2) stop_ = true;
  }

 private:
  std::atomic<bool>& stop_;
};

TEST_F(Edits, AResumedRunRefusesOtherOptions) {
  constexpr int kMany = 40;
  GgufBuilder model;
  model.string("general.architecture", "llama").u32("llama.block_count", kMany);
  GgufBuilder matrix;
  matrix.string("general.type", "imatrix")
      .strings("imatrix.datasets", {"x"})
      .u32("imatrix.chunk_count", 1)
      .u32("imatrix.chunk_size", 512);
  for (int layer = 0; layer < kMany; ++layer) {
    const std::string name = "blk." + std::to_string(layer) + ".ffn_down.weight";
    model.tensor(name, {1024, 512}, 0, bytes_of(std::vector<float>(1024 * 512, 1.0f)));
    matrix.tensor(name + ".in_sum2", {1024}, 0, bytes_of(std::vector<float>(1024, 1.0f)));
    matrix.tensor(name + ".counts", {1}, 0, bytes_of(std::vector<float>{1.0f}));
  }
  write_file(options_.input, model.build());
  write_file(imatrix_, matrix.build());
  options_.imatrix = imatrix_;
  options_.file_type = find_file_type("Q4_0");
  options_.memory = std::uint64_t{96} << 20;
  options_.checkpoint_s = 0;
  std::atomic<bool> stop = false;
  options_.stop = &stop;
  StopHalfway observer(stop);
  EXPECT_THROW(quantize(options_, observer), Error);
  options_.stop = nullptr;

  const std::vector<std::function<void(QuantizeOptions&)>> changes = {
      [](QuantizeOptions& o) {
        o.tensor_types = {{"blk.3", TensorType::q4_1}};
      },
      [](QuantizeOptions& o) {
        o.custom_types = {{"blk.3", TensorType::q4_1}};
      },
      [](QuantizeOptions& o) { o.kinds.ffn_down = TensorType::q5_0; },
      [](QuantizeOptions& o) { o.edits.pruned_layers = {3}; },
      [](QuantizeOptions& o) { o.edits.metadata = {parse_metadata_override("a=int:1")}; },
      [](QuantizeOptions& o) { o.hide_imatrix = true; },
      [](QuantizeOptions& o) { o.use.exclude = {"blk.3"}; },
      [](QuantizeOptions& o) { o.use.include = {"blk.3"}; },
      [](QuantizeOptions& o) { o.pure = true; },
      [](QuantizeOptions& o) { o.file_type = find_file_type("Q4_1"); },
      [](QuantizeOptions& o) { o.effort = Effort::fast; },
  };
  Observer nobody;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    QuantizeOptions changed = options_;
    changes[i](changed);
    try {
      quantize(changed, nobody);
      ADD_FAILURE() << "change " << i << " was not noticed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::resume_refused) << i << ": " << error.what();
    }
  }
  EXPECT_GT(quantize(options_, nobody).resumed_bytes, 0u);
}

}  // namespace
}  // namespace sluice
