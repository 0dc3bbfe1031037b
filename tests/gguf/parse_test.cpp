#include <gtest/gtest.h>

#include "sluice/error.h"
#include "sluice/gguf.h"
#include "support/gguf_builder.h"

namespace sluice::gguf {
namespace {

using testing_support::Bytes;
using testing_support::bytes_of;
using testing_support::GgufBuilder;

/// A model with a value of every kind and tensors of several types and ranks.
GgufBuilder sample() {
  return GgufBuilder()
      .string("general.architecture", "llama")
      .u32("llama.block_count", 2)
      .i32s("llama.heads", {4, 8})
      .strings("tokenizer.ggml.tokens", {"<s>", "", "\xc3\xa4"})
      .f32("llama.eps", 1e-5f)
      .boolean("tokenizer.add_bos", true)
      .u16("split.no", 0)
      .tensor("token_embd.weight", {64, 3}, 1, Bytes(64 * 3 * 2, std::byte{1}))
      .tensor("norm.weight", {5}, 0, Bytes(5 * 4, std::byte{2}))
      .tensor("blk.0.ffn_up_exps.weight", {32, 2, 2}, 8, Bytes(34 * 4, std::byte{3}));
}

TEST(Parse, ReadsMetadataAndTensors) {
  const Bytes file = sample().build();
  const auto header = parse_header(file, file.size(), "m.gguf");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->version, 3u);
  EXPECT_EQ(header->alignment, 32u);
  ASSERT_EQ(header->metadata.size(), 7u);
  EXPECT_EQ(header->metadata[1].key, "llama.block_count");
  EXPECT_EQ(header->find("general.architecture")->as_string(), "llama");
  EXPECT_EQ(header->find("llama.block_count")->as_uint(), 2u);
  EXPECT_EQ(header->find("llama.heads")->as_uints(), (std::vector<std::uint64_t>{4, 8}));
  EXPECT_EQ(header->find("tokenizer.ggml.tokens")->as_strings(),
            (std::vector<std::string>{"<s>", "", "\xc3\xa4"}));
  EXPECT_EQ(header->find("missing"), nullptr);

  ASSERT_EQ(header->tensors.size(), 3u);
  const Tensor& experts = header->tensors[2];
  EXPECT_EQ(experts.name, "blk.0.ffn_up_exps.weight");
  EXPECT_EQ(experts.shape, (std::vector<std::uint64_t>{32, 2, 2}));
  EXPECT_EQ(experts.type, TensorType::q8_0);
  EXPECT_EQ(experts.offset, 384u + 32u);
  EXPECT_EQ(experts.size, 34u * 4);
  EXPECT_EQ(header->data_offset, file.size() - (384 + 32 + 160));
  EXPECT_EQ(file[header->data_offset + experts.offset], std::byte{3});
}

}  // namespace
}  // namespace sluice::gguf
