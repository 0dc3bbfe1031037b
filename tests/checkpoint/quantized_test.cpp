// Codes and scales in the forms that published checkpoints have, each against the same weights in
// another form or against weights computed by hand.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "checkpoint/one_layer.h"
#include "sluice/error.h"

namespace sluice::checkpoint {
namespace {

// E4M3: 0x38 is 1, 0x40 2, 0xb8 -1.
std::string e4m3(std::size_t count) {
  std::string codes;
  for (std::size_t i = 0; i < count; ++i) codes += "\x38\x40\xb8"[i % 3];
  return codes;
}
float e4m3_value(std::size_t i) {
  return std::array{1.0f, 2.0f, -1.0f}[i % 3];
}

json fp8(json block) {
  return {{"quant_method", "fp8"}, {"weight_block_size", std::move(block)}};
}

json compressed(const std::string& format, json weights) {
  return {
      {"quant_method", "compressed-tensors"},
      {"format", format},
      {"config_groups", {{"group_0", {{"targets", {"Linear"}}, {"weights", std::move(weights)}}}}}};
}

/// Rows of 5 in blocks, whose factor is said for each.
void expect_scaled(const Synthetic& checkpoint, std::size_t rows,
                   const std::function<float(std::size_t, std::size_t)>& factor) {
  const Weights weights = weights_of(checkpoint);
  EXPECT_EQ(weights.type, TensorType::bf16);
  ASSERT_EQ(weights.shape, (std::vector<std::uint64_t>{5, rows}));
  for (std::size_t i = 0; i < 5 * rows; ++i) {
    EXPECT_EQ(weights.values[i], e4m3_value(i) * factor(i / 5, i % 5)) << i;
  }
}

TEST(Quantized, Fp8InBlocks) {
  Synthetic checkpoint = one_layer();
  checkpoint.config["quantization_config"] = fp8({2, 3});
  checkpoint.tensors[kUp] = {"F8_E4M3", {3, 5}, e4m3(15)};
  const std::vector<float> factors = {0.5f, 3, 7, 11};
  const auto factor = [&](std::size_t r, std::size_t c) { return factors[r / 2 * 2 + c / 3]; };
  checkpoint.tensors[kUp + "_scale_inv"] = {"F32", {2, 2}, packed_bytes(factors)};
  expect_scaled(checkpoint, 3, factor);
  checkpoint.tensors[kUp + "_scale_inv"] = {"BF16", {2, 2}, bf16_bytes(factors)};
  expect_scaled(checkpoint, 3, factor);
  checkpoint.tensors[kUp + "_scale_inv"] = {"F8_E8M0", {2, 2}, "\x7e\x7f\x80\x81"};
  expect_scaled(checkpoint, 3, [](std::size_t r, std::size_t c) {
    return std::array{0.5f, 1.0f, 2.0f, 4.0f}[r / 2 * 2 + c / 3];
  });
}

TEST(Quantized, Fp8WithOneFactor) {
  for (const std::vector<std::uint64_t>& shape : {std::vector<std::uint64_t>{}, {1}, {1, 1}}) {
    Synthetic checkpoint = one_layer();
    checkpoint.config["quantization_config"] = fp8(nullptr);
    checkpoint.tensors[kUp] = {"F8_E4M3", {3, 5}, e4m3(15)};
    checkpoint.tensors[kUp + "_scale_inv"] = {"F32", shape, packed_bytes<float>({0.25f})};
    checkpoint.tensors["model.layers.0.mlp.up_proj.activation_scale"] = {"F32", {}, "abcd"};
    checkpoint.tensors["model.layers.0.mlp.up_proj.input_scale"] = {"F32", {}, "abcd"};
    expect_scaled(checkpoint, 3, [](std::size_t, std::size_t) { return 0.25f; });
  }
}

// Experts stacked in FP8: blocks begin anew in each.
TEST(Quantized, Fp8OfStackedExperts) {
  Synthetic checkpoint("qwen3_moe_fused");
  checkpoint.config["quantization_config"] = fp8({20, 30});
  const std::string name = "model.layers.0.mlp.experts.gate_up_proj";
  const std::size_t count = 4 * 32 * 40;
  checkpoint.tensors[name] = {"F8_E4M3", {4, 32, 40}, e4m3(count)};
  std::vector<float> factors;
  for (int i = 0; i < 4 * 2 * 2; ++i) factors.push_back(static_cast<float>(i + 1));
  checkpoint.tensors[name + "_scale_inv"] = {"F32", {4, 2, 2}, packed_bytes(factors)};
  const Weights up = weights_of(checkpoint, "blk.0.ffn_up_exps.weight");
  ASSERT_EQ(up.values.size(), count / 2);
  for (std::size_t i = 0; i < up.values.size(); ++i) {
    const std::size_t e = i / (16 * 40);
    const std::size_t row = 16 + i / 40 % 16;
    const std::size_t column = i % 40;
    const std::size_t stored = (e * 32 + row) * 40 + column;
    EXPECT_EQ(up.values[i], e4m3_value(stored) * factors[e * 4 + row / 20 * 2 + column / 30]) << i;
  }
}

TEST(Quantized, CompressedTensorsOfEveryStrategy) {
  Synthetic checkpoint = one_layer();
  checkpoint.tensors[kUp] = {"F8_E4M3", {3, 5}, e4m3(15)};
  const std::vector<float> by_row = {1, 3, 5};
  const auto row = [&](std::size_t r, std::size_t) { return by_row[r]; };
  const json channel = {{"num_bits", 8}, {"type", "float"}, {"strategy", "channel"}};
  for (const char* const format : {"float-quantized", "naive-quantized"}) {
    checkpoint.config["quantization_config"] = compressed(format, channel);
    checkpoint.tensors[kUp + "_scale"] = {"BF16", {3, 1}, bf16_bytes(by_row)};
    expect_scaled(checkpoint, 3, row);
    checkpoint.tensors[kUp + "_scale"] = {"F32", {3}, packed_bytes(by_row)};
    expect_scaled(checkpoint, 3, row);
    checkpoint.tensors[kUp + "_scale"] = {"F32", {1}, packed_bytes<float>({9})};
    expect_scaled(checkpoint, 3, [](std::size_t, std::size_t) { return 9.0f; });
  }
  checkpoint.config["quantization_config"] =
      compressed("float-quantized", {{"strategy", "block"}, {"block_structure", {2, 4}}});
  const std::vector<float> blocks = {1, 3, 5, 7};
  checkpoint.tensors[kUp + "_scale"] = {"F32", {2, 2}, packed_bytes(blocks)};
  const auto block = [&](std::size_t r, std::size_t c) { return blocks[r / 2 * 2 + c / 4]; };
  expect_scaled(checkpoint, 3, block);
  checkpoint.config["quantization_config"] =
      compressed("float-quantized", {{"strategy", "block"}, {"block_structure", "2x4"}});
  expect_scaled(checkpoint, 3, block);
}

TEST(Quantized, Int8WithAFactorForEachRow) {
  Synthetic checkpoint = one_layer();
  checkpoint.config["quantization_config"] =
      compressed("int-quantized", {{"num_bits", 8}, {"type", "int"}, {"strategy", "channel"}});
  checkpoint.tensors[kUp] = {"I8", {2, 3}, std::string("\x01\x80\x7f\x00\xff\x10", 6)};
  checkpoint.tensors[kUp + "_scale"] = {"F32", {2, 1}, packed_bytes<float>({2, 0.5f})};
  EXPECT_EQ(weights_of(checkpoint).values, (std::vector<float>{2, -256, 254, 0, -0.5f, 8}));
}

/// Packs codes, so many bits each, into words along rows of `columns`.
std::string words(const std::vector<unsigned>& codes, std::size_t columns, unsigned bits) {
  std::vector<std::uint32_t> out;
  for (std::size_t row = 0; row < codes.size() / columns; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const std::size_t in_word = 32 / bits;
      if (column % in_word == 0) out.push_back(0);
      out.back() |= codes[row * columns + column] << column % in_word * bits;
    }
  }
  return packed_bytes(out);
}

TEST(Quantized, PackedIntegers) {
  struct Case {
    unsigned bits;
    std::size_t columns;
    std::uint64_t group;  ///< 0: one factor a row
    bool wide_shape;
  };
  for (const Case& c : {Case{4, 16, 8, false}, Case{8, 8, 4, true}, Case{4, 20, 16, false},
                        Case{4, 21, 0, true}, Case{8, 7, 0, false}}) {
    const std::size_t rows = 3;
    const std::size_t group = c.group == 0 ? c.columns : c.group;
    const std::size_t groups = (c.columns + group - 1) / group;
    std::vector<unsigned> codes;
    for (std::size_t i = 0; i < rows * c.columns; ++i) {
      codes.push_back(static_cast<unsigned>(i * 7 + i / 5) % (1u << c.bits));
    }
    std::vector<float> factors;
    for (std::size_t i = 0; i < rows * groups; ++i) factors.push_back(static_cast<float>(i + 1));
    Synthetic checkpoint = one_layer();
    json settings = {{"num_bits", c.bits}, {"type", "int"}, {"symmetric", true}};
    settings["strategy"] = c.group == 0 ? "channel" : "group";
    settings["group_size"] = c.group == 0 ? json() : json(c.group);
    checkpoint.config["quantization_config"] = compressed("pack-quantized", settings);
    const std::string packed = words(codes, c.columns, c.bits);
    checkpoint.tensors[kUp + "_packed"] = {"I32", {rows, packed.size() / 4 / rows}, packed};
    checkpoint.tensors[kUp + "_scale"] = {"BF16", {rows, groups}, bf16_bytes(factors)};
    checkpoint.tensors[kUp + "_shape"] =
        c.wide_shape
            ? SyntheticTensor{"I64", {2}, packed_bytes<std::uint64_t>({rows, c.columns})}
            : SyntheticTensor{
                  "I32",
                  {2},
                  packed_bytes<std::uint32_t>({rows, static_cast<std::uint32_t>(c.columns)})};
    const Weights weights = weights_of(checkpoint);
    ASSERT_EQ(weights.shape, (std::vector<std::uint64_t>{c.columns, rows})) << c.columns;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const float code = static_cast<float>(codes[i]) - (c.bits == 4 ? 8.0f : 128.0f);
      const std::size_t factor = i / c.columns * groups + i % c.columns / group;
      EXPECT_EQ(weights.values[i], code * factors[factor]) << c.columns << " " << i;
    }
  }
}

TEST(Quantized, PlainWeightsAmongFp8) {
  Synthetic checkpoint = one_layer();
  checkpoint.config["quantization_config"] = fp8({2, 3});
  checkpoint.tensors[kUp] = {"BF16", {1, 3}, bf16_bytes({1, 2, 3})};
  EXPECT_EQ(weights_of(checkpoint).values, (std::vector<float>{1, 2, 3}));
}

TEST(Quantized, NumbersOfEveryWidth) {
  Synthetic checkpoint = one_layer();
  checkpoint.tensors[kUp] = {"F64", {1, 2}, packed_bytes<double>({0.5, -1e-3})};
  EXPECT_EQ(weights_of(checkpoint).type, TensorType::f32);
  EXPECT_EQ(weights_of(checkpoint).values, (std::vector<float>{0.5f, -1e-3f}));
  checkpoint.tensors[kUp] = {"F16", {1, 2}, packed_bytes<std::uint16_t>({0x3c00, 0xc000})};
  EXPECT_EQ(weights_of(checkpoint).type, TensorType::f16);
  EXPECT_EQ(weights_of(checkpoint).values, (std::vector<float>{1, -2}));
  checkpoint.tensors[kUp] = {"F8_E5M2", {1, 2}, "\x3c\xc0"};
  EXPECT_EQ(weights_of(checkpoint).type, TensorType::bf16);
  EXPECT_EQ(weights_of(checkpoint).values, (std::vector<float>{1, -2}));
}

}  // namespace
}  // namespace sluice::checkpoint
