// Files that are no models to convert, or none that llama.cpp would load, and what is said of them.

#include "api/quantize_fixture.h"
#include "sluice/inspect.h"

namespace sluice {
namespace {

class OtherFiles : public testing::Test {
 protected:
  struct Notes : Observer {
    void note(std::string_view text) override { all += std::string(text) + "\n"; }
    std::string all;
  };

  /// Converts a file, and gives the output's header.
  gguf::Header convert(const GgufBuilder& builder, std::string_view type, bool pure = false) {
    notes_ = {};
    write_file(model_, builder.build());
    QuantizeOptions options = options_for(model_, output_, type, pure);
    options.spindle = Spindle::separate;
    options.restart = true;
    quantize(options, notes_);
    gguf::Header header;
    tensor_data(output_, &header);
    return header;
  }

  void expect_refused(const GgufBuilder& builder, std::string_view type, const std::string& what,
                      const std::string& cure) {
    try {
      convert(builder, type);
      ADD_FAILURE() << "no error: " << what;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input_format);
      EXPECT_EQ(error.context().file, model_);
      EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
      EXPECT_NE(error.context().cure.find(cure), std::string::npos) << error.context().cure;
    }
  }

  TempFolder folder_;
  std::string model_ = folder_ / "model.gguf";
  std::string output_ = folder_ / "out.gguf";
  Notes notes_;
};

constexpr std::uint32_t kF32 = 0;

GgufBuilder& add(GgufBuilder& builder, const TestTensor& tensor) {
  return builder.tensor(tensor.name, tensor.shape, static_cast<std::uint32_t>(tensor.type),
                        tensor.data);
}

TEST_F(OtherFiles, AnAdapterIsConverted) {
  GgufBuilder builder;
  builder.string("general.architecture", "llama")
      .string("general.type", "adapter")
      .u32("general.file_type", 0);
  add(builder, make_tensor("blk.0.attn_q.weight.lora_a", {256, 32}, TensorType::f32));
  add(builder, make_tensor("blk.0.attn_q.weight.lora_b", {32, 256}, TensorType::f32));
  for (const auto& [name, number, type] :
       {std::tuple("F16", 1u, TensorType::f16), {"Q8_0", 7u, TensorType::q8_0}}) {
    const gguf::Header header = convert(builder, name);
    EXPECT_EQ(header.find("general.file_type")->as_uint(), number);
    for (const gguf::Tensor& tensor : header.tensors) EXPECT_EQ(tensor.type, type);
    EXPECT_EQ(notes_.all, "");
  }
}

TEST_F(OtherFiles, AFileOfWhichNothingIsConvertedIsNotCalledSo) {
  GgufBuilder control;
  control.string("general.architecture", "controlvector").u32("general.file_type", 0);
  add(control, make_tensor("direction.1", {256}, TensorType::f32));
  GgufBuilder vocabulary;
  vocabulary.string("general.architecture", "llama").string("general.type", "vocab");
  for (const char* type : {"F16", "Q8_0", "Q4_K_M"}) {
    gguf::Header header = convert(control, type);
    EXPECT_EQ(header.find("general.file_type")->as_uint(), 0u);
    EXPECT_EQ(header.tensors[0].type, TensorType::f32);
    EXPECT_NE(notes_.all.find("nothing becomes " + std::string(type)), std::string::npos);

    header = convert(vocabulary, type);
    EXPECT_EQ(header.find("general.file_type"), nullptr);
    EXPECT_NE(notes_.all.find("no tensors"), std::string::npos) << notes_.all;
  }
  EXPECT_EQ(convert(control, "F32").find("general.file_type")->as_uint(), 0u);
  EXPECT_EQ(notes_.all, "") << "it is all F32";
  convert(control, "COPY");
  EXPECT_EQ(notes_.all, "");
}

TEST_F(OtherFiles, AnImportanceMatrixIsNoModel) {
  GgufBuilder matrix;
  matrix.string("general.type", "imatrix")
      .tensor("blk.0.attn_q.weight.in_sum2", {256}, kF32, Bytes(1024))
      .tensor("blk.0.attn_q.weight.counts", {1}, kF32, Bytes(4));
  expect_refused(matrix, "Q8_0", "importance matrix", "--imatrix");
  EXPECT_EQ(convert(matrix, "COPY").tensors.size(), 2u);
}

TEST_F(OtherFiles, NumbersGetTheTypesThatLlamaCppDemands) {
  const auto u64 = [](std::uint64_t value) {
    return testing_support::bytes_of(std::vector{value});
  };
  constexpr std::uint32_t kU64 = 10;
  const TestTensor tensor = make_tensor("blk.0.ffn_down.weight", {256, 4}, TensorType::f16);
  GgufBuilder mistyped;
  mistyped.string("general.architecture", "llama")
      .raw("general.alignment", kU64, u64(32))
      .raw("general.file_type", kU64, u64(1))
      .i32("llama.block_count", 1);
  add(mistyped, tensor);
  for (const char* type : {"COPY", "Q8_0", "Q4_K_M"}) {
    const gguf::Header header = convert(mistyped, type);
    for (const char* key : {"general.alignment", "general.file_type", "llama.block_count"}) {
      EXPECT_EQ(header.find(key)->type, gguf::ValueType::u32) << key;
    }
    EXPECT_EQ(header.find("general.alignment")->as_uint(), 32u);
    EXPECT_NE(notes_.all.find("general.alignment is of the type u64"), std::string::npos);
  }
  const std::vector<std::string> told = inspect(model_).notes;
  ASSERT_EQ(told.size(), 3u);
  EXPECT_NE(told[0].find("general.alignment is of the type u64"), std::string::npos) << told[0];
  EXPECT_TRUE(inspect(output_).notes.empty());
}

TEST_F(OtherFiles, EachPartHasTheRightAlignment) {
  GgufBuilder builder;
  builder.string("general.architecture", "llama").i32("general.alignment", 32);
  for (const char* name : {"a", "b"}) add(builder, make_tensor(name, {16}, TensorType::f32));
  write_file(model_, builder.build());
  QuantizeOptions options = options_for(model_, folder_ / "out", "COPY", false);
  options.split.max_tensors = 1;
  options.spindle = Spindle::separate;
  quantize(options, notes_);
  for (const char* part : {"out-00001-of-00002.gguf", "out-00002-of-00002.gguf"}) {
    gguf::Header header;
    tensor_data(folder_ / part, &header);
    EXPECT_EQ(header.find("general.alignment")->type, gguf::ValueType::u32) << part;
  }
}

TEST_F(OtherFiles, WhatCannotHaveTheRightTypeIsRefused) {
  GgufBuilder builder;
  builder.u32("general.architecture", 7);
  add(builder, make_tensor("a.weight", {256, 4}, TensorType::f16));
  for (const char* type : {"Q8_0", "COPY"}) {
    expect_refused(builder, type, "general.architecture is of the type u32",
                   "--override-kv general.architecture=str:");
  }
  EXPECT_EQ(inspect(model_).notes.size(), 1u);
  GgufBuilder other;
  other.string("general.architecture", "llama").string("general.file_type", "F16");
  add(other, make_tensor("a.weight", {256, 4}, TensorType::f16));
  expect_refused(other, "COPY", "general.file_type", "--override-kv general.file_type=int:");
  EXPECT_EQ(convert(other, "Q8_0").find("general.file_type")->as_uint(), 7u) << "it is replaced";
}

TEST_F(OtherFiles, LongNamesAreNoted) {
  const std::string name = std::string(57, 'x') + ".weight";
  GgufBuilder builder;
  builder.string("general.architecture", "flux");
  add(builder, make_tensor(name, {256, 4}, TensorType::bf16));
  convert(builder, "Q8_0");
  EXPECT_NE(notes_.all.find("63 bytes"), std::string::npos) << notes_.all;
  EXPECT_NE(notes_.all.find(name), std::string::npos) << notes_.all;
  const std::vector<std::string> told = inspect(output_).notes;
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NE(told[0].find(name), std::string::npos);
  const std::vector<std::string> planned = plan(options_for(model_, "", "Q8_0", false)).notes;
  EXPECT_EQ(planned.size(), 1u);
}

}  // namespace
}  // namespace sluice
