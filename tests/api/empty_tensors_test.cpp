// Tensors without elements, as published diffusion models end in, through every command.

#include "api/quantize_fixture.h"
#include "sluice/compare.h"
#include "sluice/inspect.h"
#include "sluice/verify.h"

namespace sluice {
namespace {

using Shape = std::vector<std::uint64_t>;

/// A model with a tensor of such a shape and type before the first, a middle and behind the last.
std::vector<TestTensor> with_empty(const Shape& shape, TensorType type) {
  return {{"first", shape, type, {}},
          make_tensor("blk.0.attn_q.weight", {256, 300}, TensorType::f16),
          {"blk.0.attn_v.weight", shape, type, {}},
          make_tensor("output_norm.weight", {256}, TensorType::f32),
          {"__index_timestep_zero__", shape, type, {}}};
}

class EmptyTensors : public testing::TestWithParam<std::pair<Shape, TensorType>> {
 protected:
  EmptyTensors() { write_model(model_, tensors_); }

  QuantizeOptions options(const std::string& output, std::string_view type) {
    QuantizeOptions options = options_for(model_, output, type, false);
    options.spindle = Spindle::separate;
    options.verify = true;
    return options;
  }

  void expect_good(const std::string& output) {
    VerifyOptions check;
    check.output = output;
    check.against = model_;
    const VerifyReport report = verify(check, silent());
    EXPECT_TRUE(report.good()) << report.findings.front().what;
    EXPECT_EQ(report.tensors.size(), tensors_.size());
    CompareOptions both;
    both.a = model_;
    both.b = output;
    const Comparison comparison = compare(both, silent());
    EXPECT_TRUE(comparison.complete());
    EXPECT_EQ(comparison.tensors.front().differing_bytes, 0u);
  }

  TempFolder folder_;
  std::string model_ = folder_ / "model.gguf";
  std::vector<TestTensor> tensors_ = with_empty(GetParam().first, GetParam().second);
};

TEST_P(EmptyTensors, AreKept) {
  for (const char* type : {"Q8_0", "Q4_K_M", "F32", "COPY"}) {
    const std::string output = folder_ / std::string(type);
    const RunReport report = quantize(options(output, type), silent());
    gguf::Header header;
    const auto data = tensor_data(output, &header);
    ASSERT_EQ(header.tensors.size(), tensors_.size());
    ASSERT_EQ(report.tensors.size(), tensors_.size());
    for (const std::size_t i : {0, 2, 4}) {
      EXPECT_EQ(header.tensors[i].name, tensors_[i].name);
      EXPECT_EQ(header.tensors[i].shape, GetParam().first);
      EXPECT_EQ(header.tensors[i].type, GetParam().second);
      EXPECT_EQ(report.tensors[i].name, tensors_[i].name);
      EXPECT_EQ(report.tensors[i].bytes, 0u);
    }
    EXPECT_TRUE(data.at("blk.0.attn_q.weight") ==
                expected_data(tensors_[1], header.tensors[1].type, false));
    expect_good(output);
  }
}

TEST_P(EmptyTensors, AreInPartsAsOthers) {
  QuantizeOptions in_parts = options(folder_ / "parts", "Q8_0");
  in_parts.split.max_tensors = 1;
  quantize(in_parts, silent());
  const std::string first = folder_ / "parts-00001-of-00005.gguf";
  expect_good(first);
  QuantizeOptions kept = options(folder_ / "kept", "COPY");
  kept.input = first;
  kept.split.keep = true;
  quantize(kept, silent());
  const Inspection seen = inspect(folder_ / "kept-00001-of-00005.gguf");
  ASSERT_EQ(seen.files.size(), 5u);
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    EXPECT_EQ(seen.tensors[i].name, tensors_[i].name);
    EXPECT_EQ(seen.tensors[i].shape, tensors_[i].shape);
    EXPECT_EQ(seen.tensors[i].file, i);
  }
  QuantizeOptions by_size = options(folder_ / "sized", "Q8_0");
  by_size.split.max_bytes = 1;
  quantize(by_size, silent());
}

INSTANTIATE_TEST_SUITE_P(All, EmptyTensors,
                         testing::Values(std::pair(Shape{0}, TensorType::f32),
                                         std::pair(Shape{0, 5}, TensorType::f16),
                                         std::pair(Shape{256, 0}, TensorType::q4_k),
                                         std::pair(Shape{256, 3, 0}, TensorType::bf16),
                                         std::pair(Shape{0, 0, 0, 0}, TensorType::iq1_m)));

// Of other types in the output than in the source there is nothing to compare either.
TEST(EmptyTensor, OfAnotherTypeIsNoFault) {
  const TempFolder folder;
  VerifyOptions check;
  check.output = folder / "b.gguf";
  check.against = folder / "a.gguf";
  write_model(check.against, {{"e.weight", {256, 0}, TensorType::f32, {}}});
  write_model(check.output, {{"e.weight", {256, 0}, TensorType::q8_k, {}}});
  EXPECT_TRUE(verify(check, silent()).good());
}

}  // namespace
}  // namespace sluice
