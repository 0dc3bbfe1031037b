// What a run tells of the weights it met.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "api/quantize_fixture.h"
#include "quantize/lost_range.h"

namespace sluice {
namespace {

void put_value(std::vector<TestTensor>& tensors, const std::string& name, std::size_t element,
               float value) {
  for (TestTensor& tensor : tensors) {
    if (tensor.name != name) continue;
    const Bytes bytes = stored({value}, tensor.type);
    std::copy(bytes.begin(), bytes.end(), tensor.data.begin() + element * bytes.size());
  }
}

LostRange lost(const Codec& codec, const std::vector<float>& values, const float* importance,
               Effort effort) {
  const std::size_t count = std::max<std::size_t>(2, info(codec.type).rows);
  const EncodeRows rows{.values = values.data(),
                        .rows = count,
                        .row_elements = values.size() / count,
                        .importance = importance,
                        .effort = effort};
  std::vector<std::byte> blocks(byte_size(codec.type, values.size(), rows.row_elements));
  codec.encode(rows, blocks.data());
  return find_lost_range(codec, rows, blocks.data());
}

TEST(LostRange, IsFoundInAllTypesThatHaveAnEnd) {
  const std::vector<float> importance(512, 0.25f);
  for (const Codec& codec : codecs()) {
    if (codec.encode == nullptr) continue;
    const bool endless = codec.type == TensorType::f32 || codec.type == TensorType::bf16 ||
                         codec.type == TensorType::mxfp4 || info(codec.type).row_bytes == 4 ||
                         codec.type == TensorType::q1_0;  // in which a single weight is lost anyway
    for (const Effort effort : {Effort::fast, Effort::best}) {
      for (const float* q : {static_cast<const float*>(nullptr), importance.data()}) {
        for (const float sign : {1.0f, -1.0f}) {
          SCOPED_TRACE(testing::Message() << name(codec.type) << " " << sign);
          std::vector<float> values = random_values(1024, 7);
          values[700] = sign * (codec.type == TensorType::nvfp4 ? 2688 : 60000);
          EXPECT_EQ(lost(codec, values, q, effort).weights, 0u);
          values[700] = sign * 1e30f;
          const LostRange found = lost(codec, values, q, effort);
          EXPECT_EQ(found.weights, endless ? 0u : 1u);
          if (endless) continue;
          EXPECT_EQ(found.largest, values[700]);
          EXPECT_LT(std::abs(found.became), 1e10f);
        }
      }
    }
  }
}

// The ends by the formats: F16 holds 65504, which is the largest scale, and the largest offset.
TEST(LostRange, BeginsWhereTheFormatEnds) {
  struct Case {
    TensorType type;
    float within;
    float beyond;
  };
  for (const Case& c : std::vector<Case>{{TensorType::f16, 65504, 65700},
                                         {TensorType::f16, -65504, -65700},
                                         {TensorType::q8_0, 65504.f * 127, 65504.f * 128},
                                         {TensorType::q4_0, 65504.f * 8, 65504.f * 8.1f},
                                         {TensorType::q5_0, -65504.f * 16, -65504.f * 16.1f},
                                         {TensorType::q4_1, 65504.f * 15, 65504.f * 17},
                                         {TensorType::q4_1, -65504.f, -65504.f * 1.5f},
                                         {TensorType::q5_1, -65504.f, -65504.f * 1.5f},
                                         {TensorType::nvfp4, 448.f * 6, 448.f * 6.5f},
                                         {TensorType::bf16, 3.3895e38f, 0x1.fffffep127f}}) {
    std::vector<float> values(1024);
    values[700] = c.within;
    EXPECT_EQ(lost(*find_codec(c.type), values, nullptr, Effort::best).weights, 0u)
        << name(c.type) << " " << c.within;
    values[700] = c.beyond;
    EXPECT_EQ(lost(*find_codec(c.type), values, nullptr, Effort::best).weights, 1u)
        << name(c.type) << " " << c.beyond;
  }
}

TEST_F(QuantizeTest, WeightsBeyondTheirTypesRangeAreTold) {
  put_value(tensors_, "blk.0.attn_q.weight", 5000, 3e7f);
  put_value(tensors_, "blk.0.attn_q.weight", 2000000, -0x1.8p27f);
  put_value(tensors_, "token_embd.weight", 3, 3e7f);
  write_model(model_, tensors_);
  for (const std::string type : {"F16", "Q8_0", "Q4_0", "Q5_1", "BF16"}) {
    QuantizeOptions options = options_for(model_, output_, type, true);
    options.restart = true;
    Notes notes;
    const RunReport report = quantize(options, notes);
    const bool told = notes.hold("2 tensors with weights beyond the range of their type") &&
                      notes.hold("token_embd.weight (1 weight, of which 3e+07 became ") &&
                      notes.hold("blk.0.attn_q.weight (2 weights, of which -2.01327e+08 became -");
    EXPECT_EQ(told, type != "BF16") << notes.text;
    for (const TensorReport& tensor : report.tensors) {
      const std::uint64_t wanted = type == "BF16"                         ? 0
                                   : tensor.name == "token_embd.weight"   ? 1
                                   : tensor.name == "blk.0.attn_q.weight" ? 2
                                                                          : 0;
      EXPECT_EQ(tensor.beyond_range, wanted) << tensor.name;
    }
  }
}

// What was met is told by the run that met it, as a later one does not see it.
TEST_F(QuantizeTest, ARunThatFailsTellsWhatItMet) {
  put_value(tensors_, "token_embd.weight", 3, 3e7f);
  put_value(tensors_, "output.weight", 0, std::numeric_limits<float>::infinity());
  write_model(model_, tensors_);
  QuantizeOptions options = options_for(model_, output_, "Q8_0", true);
  options.threads = 1;
  Notes notes;
  EXPECT_THROW(quantize(options, notes), Error);
  EXPECT_TRUE(notes.hold("token_embd.weight (1 weight, of which 3e+07 became")) << notes.text;
}

// 294912 of 3947520 weights.
TEST_F(QuantizeTest, TensorsOfZerosAreTold) {
  const std::set<std::string> blank = {"blk.0.ffn_up_exps.weight", "blk.0.ffn_gate_exps.weight",
                                       "blk.0.attn_v.bias"};
  tensors_.push_back(make_tensor("blk.0.attn_v.bias", {512}, TensorType::f32));
  for (TestTensor& tensor : tensors_) {
    if (blank.contains(tensor.name)) std::ranges::fill(tensor.data, std::byte{});
  }
  write_model(model_, tensors_);
  for (const std::string type : {"Q4_K", "F32", "COPY"}) {
    QuantizeOptions options = options_for(model_, output_, type, type == "Q4_K");
    options.restart = true;
    Notes notes;
    const RunReport report = quantize(options, notes);
    EXPECT_TRUE(notes.hold("2 tensors (7.5 % of the weights) with nothing but zeros"))
        << notes.text;
    EXPECT_TRUE(notes.hold(": blk.0.ffn_up_exps.weight, blk.0.ffn_gate_exps.weight\n"))
        << notes.text;
    for (const TensorReport& tensor : report.tensors) {
      EXPECT_EQ(tensor.all_zero, blank.contains(tensor.name)) << tensor.name;
    }
  }
  // Of a quantized tensor that is copied no weight is looked at, but bytes are.
  Notes notes;
  QuantizeOptions options = options_for(model_, output_, "Q4_0", true);
  options.restart = true;
  quantize(options, silent());
  Bytes file = read_file(output_);
  const gguf::Header header = *gguf::parse_header(file, file.size(), output_);
  const auto it = std::ranges::find(header.tensors, "output.weight", &gguf::Tensor::name);
  std::fill_n(file.begin() + header.data_offset + it->offset, it->size, std::byte{});
  write_file(model_, file);
  options.file_type = find_file_type("COPY");
  const RunReport report = quantize(options, notes);
  EXPECT_TRUE(notes.hold(" with nothing but zeros")) << notes.text;
  EXPECT_TRUE(notes.hold(": output.weight\n")) << notes.text;
}

TEST_F(QuantizeTest, OrdinaryWeightsAreNotTold) {
  Notes notes;
  quantize(options_for(model_, output_, "Q8_0", true), notes);
  EXPECT_FALSE(notes.hold("zeros") || notes.hold("beyond")) << notes.text;
}

}  // namespace
}  // namespace sluice
