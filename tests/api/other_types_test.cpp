// Tensors of types that can only be copied: sluice has no decoder for them, or nothing
// is known of them.

#include "api/quantize_fixture.h"
#include "sluice/compare.h"
#include "sluice/inspect.h"
#include "sluice/verify.h"

namespace sluice {
namespace {

constexpr std::uint32_t kQ82X4 = 99;  // 36 bytes for each 32 weights
constexpr std::uint64_t kRowBytes = 288;
constexpr std::uint32_t kUnknownType = 77;
constexpr std::uint64_t kLargeRows = 30000;

class OtherTypes : public testing::TestWithParam<std::uint32_t> {
 protected:
  OtherTypes() {
    // Larger than a chunk, of bytes of which each tells its place.
    large_.resize(kLargeRows * kRowBytes);
    for (std::size_t i = 0; i < large_.size(); ++i) {
      large_[i] = static_cast<std::byte>((i * 2654435761u) >> 13);
    }
    small_ = Bytes(large_.begin(), large_.begin() + kRowBytes);
    GgufBuilder builder = with_metadata();
    builder.tensor("blk.0.ffn_down.weight", {256, kLargeRows}, GetParam(), large_)
        .tensor("output_norm.weight", {256}, 0, stored(random_values(256, 1), TensorType::f32))
        .tensor("blk.0.attn_norm.weight", {256}, GetParam(), small_);
    write_file(model_, builder.build());
  }

  QuantizeOptions copy(const std::string& input, const std::string& output) {
    QuantizeOptions options = options_for(input, output, "COPY", false);
    options.spindle = Spindle::separate;
    options.memory = least_memory(options);
    return options;
  }

  bool good(const std::string& output) {
    VerifyOptions check;
    check.output = output;
    check.against = model_;
    return verify(check, silent()).good();
  }

  TempFolder folder_;
  std::string model_ = folder_ / "model.gguf";
  std::string output_ = folder_ / "out.gguf";
  Bytes large_;
  Bytes small_;
};

TEST_P(OtherTypes, AreCopied) {
  quantize(copy(model_, output_), silent());
  gguf::Header header;
  const auto data = tensor_data(output_, &header);
  const auto copied = [&](const std::string& name, const Bytes& from) {
    const Bytes& to = data.at(name);  // of an unknown type the padding is copied too
    return to.size() < from.size() + 32 && std::equal(from.begin(), from.end(), to.begin());
  };
  EXPECT_TRUE(copied("blk.0.ffn_down.weight", large_));
  EXPECT_TRUE(copied("blk.0.attn_norm.weight", small_));
  EXPECT_EQ(header.tensors[0].shape, (std::vector<std::uint64_t>{256, kLargeRows}));
  EXPECT_EQ(static_cast<std::uint32_t>(header.tensors[0].type), GetParam());
  EXPECT_TRUE(good(output_));
}

TEST_P(OtherTypes, AreVerifiedAndCompared) {
  quantize(copy(model_, output_), silent());
  gguf::Header header;
  tensor_data(output_, &header);
  const Bytes whole = read_file(output_);
  Bytes damaged = whole;
  damaged[header.data_offset + large_.size() / 2] ^= std::byte{1};
  write_file(output_, damaged);
  EXPECT_FALSE(good(output_));
  CompareOptions both;
  both.a = model_;
  both.b = output_;
  EXPECT_EQ(compare(both, silent()).tensors.front().differing_bytes, 1u);
  damaged = whole;
  damaged.resize(damaged.size() - 64);  // the last tensor is cut
  write_file(output_, damaged);
  EXPECT_FALSE(good(output_));
}

TEST_P(OtherTypes, AreSplit) {
  QuantizeOptions options = copy(model_, folder_ / "parts");
  options.split.max_tensors = 1;
  quantize(options, silent());
  const std::string first = folder_ / "parts-00001-of-00003.gguf";
  EXPECT_TRUE(good(first));
  QuantizeOptions kept = copy(first, folder_ / "kept");
  kept.split.keep = true;
  quantize(kept, silent());
  EXPECT_TRUE(good(folder_ / "kept-00002-of-00003.gguf"));
  EXPECT_EQ(inspect(first).tensor_count, 3u);
}

TEST_P(OtherTypes, AreNoSourceOfOthers) {
  QuantizeOptions options = options_for(model_, output_, "Q8_0", true);
  options.allow_requantize = true;
  try {
    quantize(options, silent());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_type);
    EXPECT_EQ(error.context().tensor, "blk.0.ffn_down.weight");
    EXPECT_NE(std::string(error.what()).find(GetParam() == kUnknownType ? "#77" : "q8_2_x4"),
              std::string::npos)
        << error.what();
  }
}

TEST_P(OtherTypes, AreKeptWhereTheRecipeKeepsThem) {
  GgufBuilder builder = with_metadata();
  const TestTensor weight = make_tensor("blk.0.attn_q.weight", {256, 8}, TensorType::f16);
  builder.tensor("blk.0.attn_norm.weight", {256}, GetParam(), small_)
      .tensor(weight.name, weight.shape, 1, weight.data);
  write_file(model_, builder.build());
  quantize(options_for(model_, output_, "Q8_0", true), silent());
  const auto data = tensor_data(output_, nullptr);
  EXPECT_TRUE(data.at(weight.name) == expected_data(weight, TensorType::q8_0, false));
  EXPECT_TRUE(good(output_));
}

TEST_P(OtherTypes, AreShown) {
  const Inspection seen = inspect(model_);
  const InspectedTensor& large = seen.tensors.front();
  EXPECT_EQ(large.size_known(), GetParam() == kQ82X4);
  EXPECT_GE(large.size, large_.size());
  EXPECT_LT(large.size, large_.size() + 32);
  ASSERT_EQ(seen.notes.size(), 1u);
  EXPECT_NE(seen.notes[0].find("llama.cpp has no types"), std::string::npos) << seen.notes[0];
}

INSTANTIATE_TEST_SUITE_P(All, OtherTypes, testing::Values(kQ82X4, kUnknownType));

}  // namespace
}  // namespace sluice
