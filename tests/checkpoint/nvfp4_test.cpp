// NVFP4 and FP8 as ModelOpt writes them, and NVFP4 of compressed-tensors, against weights that are
// computed by hand: a code times a factor, which is a number in E4M3 times, or by, one in F32, each
// rounded to F32 once.

#include <functional>
#include <limits>

#include "checkpoint/one_layer.h"
#include "checkpoint/refusal.h"

namespace sluice::checkpoint {
namespace {

constexpr std::uint64_t kRows = 3;
constexpr std::uint64_t kColumns = 48;
const std::string kGateUp = "language_model.model.layers.1.feed_forward.experts.gate_up_proj";

/// Codes of E2M1 in their order.
constexpr double kE2m1[] = {0, .5, 1, 1.5, 2, 3, 4, 6, -0.0, -.5, -1, -1.5, -2, -3, -4, -6};

/// Some codes of E4M3, and what they are.
constexpr std::pair<char, double> kE4m3[] = {
    {'\x38', 1},   {'\x30', 0.5},      {'\x41', 2.25}, {'\x01', 0x1p-9}, {'\x07', 0x7p-9},
    {'\x7e', 448}, {'\x0d', 0x1.ap-6}, {'\x00', 0},    {'\x5f', 30},     {'\x08', 0x1p-6}};

unsigned code_of(std::uint64_t row, std::uint64_t column) {
  return static_cast<unsigned>(row * 5 + column * 7 + column / 16) % 16;
}

std::pair<char, double> scale_of(std::uint64_t row, std::uint64_t block) {
  return kE4m3[(row * 3 + block) % std::size(kE4m3)];
}

/// The only product or quotient that is rounded is that of two numbers of F32: in binary64 none of
/// them comes to lie so near to the middle of two that rounding again makes another number of it.
float expected(unsigned code, double scale, float common, bool divided) {
  const double both = divided ? scale / double{common} : scale * double{common};
  return static_cast<float>(kE2m1[code] * double{static_cast<float>(both)});
}

/// Codes two in a byte along the rows, [rows, columns / 2].
std::string codes_along(std::uint64_t rows, std::uint64_t columns) {
  std::string bytes;
  for (std::uint64_t row = 0; row < rows; ++row) {
    for (std::uint64_t column = 0; column < columns; column += 2) {
      bytes += static_cast<char>(code_of(row, column) | code_of(row, column + 1) << 4);
    }
  }
  return bytes;
}

std::string scales_along(std::uint64_t rows, std::uint64_t blocks) {
  std::string bytes;
  for (std::uint64_t i = 0; i < rows * blocks; ++i) {
    bytes += scale_of(i / blocks, i % blocks).first;
  }
  return bytes;
}

SyntheticTensor number(float value, std::vector<std::uint64_t> shape = {}) {
  return {"F32", std::move(shape), packed_bytes<float>({value})};
}

json modelopt(const char* algorithm) {
  return {{"quant_method", "modelopt"},
          {"quant_algo", algorithm},
          {"ignore", {"lm_head"}},
          {"producer", {{"name", "modelopt"}}}};
}

json nvfp4_group() {
  return {{"targets", {"Linear"}},
          {"format", "nvfp4-pack-quantized"},
          {"weights",
           {{"num_bits", 4},
            {"type", "float"},
            {"strategy", "tensor_group"},
            {"group_size", 16},
            {"symmetric", true}}}};
}

json in_format(const char* format, json groups) {
  return {{"quant_method", "compressed-tensors"},
          {"format", format},
          {"config_groups", std::move(groups)}};
}

constexpr float kCommon = 0.1f;

/// One matrix as ModelOpt has it.
Synthetic of_modelopt() {
  Synthetic checkpoint = one_layer();
  checkpoint.config["quantization_config"] = modelopt("NVFP4");
  checkpoint.tensors[kUp] = {"U8", {kRows, kColumns / 2}, codes_along(kRows, kColumns)};
  checkpoint.tensors[kUp + "_scale"] = {
      "F8_E4M3", {kRows, kColumns / 16}, scales_along(kRows, kColumns / 16)};
  checkpoint.tensors[kUp + "_scale_2"] = number(kCommon);
  checkpoint.tensors["model.layers.0.mlp.up_proj.input_scale"] = number(5);
  return checkpoint;
}

/// The same matrix in compressed-tensors.
Synthetic of_compressed_tensors() {
  Synthetic checkpoint = of_modelopt();
  checkpoint.config["quantization_config"] =
      in_format("nvfp4-pack-quantized", {{"group_0", nvfp4_group()}});
  checkpoint.tensors[kUp + "_packed"] = checkpoint.take(kUp);
  checkpoint.take(kUp + "_scale_2");
  checkpoint.take("model.layers.0.mlp.up_proj.input_scale");
  checkpoint.tensors[kUp + "_global_scale"] = number(1.0f / kCommon, {1});
  checkpoint.tensors["model.layers.0.mlp.up_proj.input_global_scale"] = number(5, {1});
  return checkpoint;
}

void expect_weights(const Synthetic& checkpoint, float common, bool divided) {
  const Weights weights = weights_of(checkpoint);
  EXPECT_EQ(weights.type, TensorType::bf16);  // no better source
  ASSERT_EQ(weights.shape, (std::vector<std::uint64_t>{kColumns, kRows}));
  for (std::uint64_t i = 0; i < kRows * kColumns; ++i) {
    const std::uint64_t row = i / kColumns;
    const std::uint64_t column = i % kColumns;
    const double scale = scale_of(row, column / 16).second;
    EXPECT_EQ(weights.values[i], expected(code_of(row, column), scale, common, divided)) << i;
  }
}

TEST(Nvfp4, OfModelopt) {
  Synthetic checkpoint = of_modelopt();
  for (const float common : {kCommon, 1e-6f, 3.0f}) {
    for (const std::vector<std::uint64_t>& shape : {std::vector<std::uint64_t>{}, {1}, {1, 1}}) {
      checkpoint.tensors[kUp + "_scale_2"] = number(common, shape);
      expect_weights(checkpoint, common, false);
    }
  }
}

TEST(Nvfp4, ConfigurationsInEveryPlace) {
  Synthetic checkpoint = of_modelopt();
  for (const char* const algorithm :
       {"NVFP4", "W4A16_NVFP4", "NVFP4_AWQ", "MIXED_PRECISION", "nvfp4"}) {
    checkpoint.config["quantization_config"] = modelopt(algorithm);
    expect_weights(checkpoint, kCommon, false);
  }
  checkpoint.config["quantization_config"]["quantized_layers"] = {
      {"model.layers.0.mlp.up_proj", {{"quant_algo", "NVFP4"}, {"group_size", 16}}}};
  expect_weights(checkpoint, kCommon, false);
  checkpoint.config.erase("quantization_config");
  for (const json& algorithm : {json("NVFP4"), json(nullptr)}) {
    checkpoint.texts["hf_quant_config.json"] =
        json{{"producer", {{"name", "modelopt"}}},
             {"quantization", {{"quant_algo", algorithm}, {"exclude_modules", {"lm_head"}}}}}
            .dump();
    expect_weights(checkpoint, kCommon, false);
  }
  checkpoint.texts["hf_quant_config.json"] = R"({"quant_algo": "NVFP4"})";
  expect_weights(checkpoint, kCommon, false);
  checkpoint.texts.erase("hf_quant_config.json");
  checkpoint.config["quantization_config"] = {{"quant_algo", "NVFP4"}};
  expect_weights(checkpoint, kCommon, false);
}

TEST(Nvfp4, OfCompressedTensors) {
  Synthetic checkpoint = of_compressed_tensors();
  for (const float common : {10.0f, 0.7f, 1234.5f}) {
    checkpoint.tensors[kUp + "_global_scale"] = number(common, {1});
    expect_weights(checkpoint, common, true);
  }
}

TEST(Nvfp4, BesideFp8InOneCheckpoint) {
  Synthetic checkpoint = of_compressed_tensors();
  const json fp8 = {{"targets", {"Linear"}},
                    {"format", "float-quantized"},
                    {"weights", {{"num_bits", 8}, {"type", "float"}, {"strategy", "channel"}}}};
  checkpoint.config["quantization_config"] =
      in_format("mixed-precision", {{"group_0", fp8}, {"group_1", nvfp4_group()}});
  const std::string gate = "model.layers.0.mlp.gate_proj.weight";
  checkpoint.tensors[gate] = {"F8_E4M3", {2, 2}, "\x38\x40\xb8\x01"};
  checkpoint.tensors[gate + "_scale"] = {"BF16", {2, 1}, bf16_bytes({0.5f, 3})};
  const auto expect_both = [&](float common, bool divided) {
    expect_weights(checkpoint, common, divided);
    EXPECT_EQ(weights_of(checkpoint, "blk.0.ffn_gate.weight").values,
              (std::vector<float>{0.5f, 1, -3, 3 * 0x1p-9f}));
  };
  expect_both(1.0f / kCommon, true);
  Synthetic modelopts = of_modelopt();
  modelopts.tensors[gate] = checkpoint.tensors[gate];
  modelopts.tensors[gate + "_scale"] = {"F32", {2}, packed_bytes<float>({0.5f, 3})};
  checkpoint = modelopts;
  expect_both(kCommon, false);
}

// Joined experts lie transposed, [E, n, 2 ff]: two codes of a byte are in the same column.
TEST(Nvfp4, DownTheColumnsOfTransposedExperts) {
  constexpr std::uint64_t kExperts = 4;
  constexpr std::uint64_t kInputs = 32;
  constexpr std::uint64_t kOutputs = 48;
  const auto code = [](std::uint64_t expert, std::uint64_t input, std::uint64_t output) {
    return code_of(expert * kInputs + input, output);
  };
  const auto scale = [](std::uint64_t expert, std::uint64_t block, std::uint64_t output) {
    return scale_of(expert * 2 + block, output);
  };
  std::string codes;
  std::string scales;
  std::string codes_in_rows;
  std::string scales_in_rows;
  for (std::uint64_t e = 0; e < kExperts; ++e) {
    for (std::uint64_t i = 0; i < kInputs * kOutputs / 2; ++i) {
      const std::uint64_t input = i / kOutputs * 2;
      codes +=
          static_cast<char>(code(e, input, i % kOutputs) | code(e, input + 1, i % kOutputs) << 4);
      const std::uint64_t in_row = i % (kInputs / 2) * 2;
      codes_in_rows += static_cast<char>(code(e, in_row, i / (kInputs / 2)) |
                                         code(e, in_row + 1, i / (kInputs / 2)) << 4);
    }
    for (std::uint64_t i = 0; i < kInputs / 16 * kOutputs; ++i) {
      scales += scale(e, i / kOutputs, i % kOutputs).first;
      scales_in_rows += scale(e, i % 2, i / 2).first;
    }
  }
  Synthetic checkpoint("llama4_scout");
  checkpoint.config["quantization_config"] = modelopt("NVFP4");
  checkpoint.tensors[kGateUp + "_input_scale"] = number(5);
  const auto expect_experts = [&](const std::vector<float>& common) {
    for (const std::uint64_t up : {0, 1}) {
      const Weights weights = weights_of(
          checkpoint, up == 1 ? "blk.1.ffn_up_exps.weight" : "blk.1.ffn_gate_exps.weight");
      ASSERT_EQ(weights.shape, (std::vector<std::uint64_t>{kInputs, kOutputs / 2, kExperts}));
      for (std::uint64_t i = 0; i < weights.values.size(); ++i) {
        const std::uint64_t input = i % kInputs;
        const std::uint64_t output = up * (kOutputs / 2) + i / kInputs % (kOutputs / 2);
        const std::uint64_t expert = i / kInputs / (kOutputs / 2);
        const float wanted =
            expected(code(expert, input, output), scale(expert, input / 16, output).second,
                     common[expert % common.size()], false);
        ASSERT_EQ(weights.values[i], wanted) << i;
      }
    }
  };
  const std::vector<float> each = {0.1f, 3, 1e-3f, 0.7f};
  for (const bool rows : {false, true}) {
    checkpoint.tensors[kGateUp] =
        rows ? SyntheticTensor{"U8", {kExperts, kOutputs, kInputs / 2}, codes_in_rows}
             : SyntheticTensor{"U8", {kExperts, kInputs / 2, kOutputs}, codes};
    checkpoint.tensors[kGateUp + "_weight_scale"] =
        rows ? SyntheticTensor{"F8_E4M3", {kExperts, kOutputs, 2}, scales_in_rows}
             : SyntheticTensor{"F8_E4M3", {kExperts, 2, kOutputs}, scales};
    checkpoint.tensors[kGateUp + "_weight_scale_2"] = number(kCommon);
    expect_experts({kCommon});
    for (const std::vector<std::uint64_t>& shape :
         {std::vector<std::uint64_t>{kExperts}, {kExperts, 1, 1}}) {
      checkpoint.tensors[kGateUp + "_weight_scale_2"] = {"F32", shape, packed_bytes(each)};
      expect_experts(each);
    }
  }
}

TEST(Nvfp4, ScalesOfActivationsAndCachesAreLeftOut) {
  for (Synthetic checkpoint : {of_modelopt(), of_compressed_tensors()}) {
    for (const char* const name : {"self_attn.k_proj.k_scale", "self_attn.v_proj.v_scale",
                                   "self_attn.k_scale", "self_attn.v_scale"}) {
      checkpoint.tensors[std::string("model.layers.0.") + name] = number(2);
    }
    EXPECT_EQ(weights_of(checkpoint).values.size(), kRows * kColumns);
  }
}

/// A matrix in FP8, with ModelOpt's factors.
Synthetic fp8_of_modelopt(std::uint64_t rows, std::uint64_t columns, SyntheticTensor factors) {
  Synthetic checkpoint = one_layer();
  checkpoint.config["quantization_config"] = modelopt("FP8");
  std::string codes;
  for (std::uint64_t i = 0; i < rows * columns; ++i) codes += kE4m3[i % std::size(kE4m3)].first;
  checkpoint.tensors[kUp] = {"F8_E4M3", {rows, columns}, codes};
  checkpoint.tensors[kUp + "_scale"] = std::move(factors);
  return checkpoint;
}

void expect_fp8(const Synthetic& checkpoint, std::uint64_t columns,
                const std::function<float(std::uint64_t, std::uint64_t)>& factor) {
  const Weights weights = weights_of(checkpoint);
  for (std::uint64_t i = 0; i < weights.values.size(); ++i) {
    const auto code = static_cast<float>(kE4m3[i % std::size(kE4m3)].second);
    ASSERT_EQ(weights.values[i], code * factor(i / columns, i % columns)) << i;
  }
}

TEST(Nvfp4, Fp8OfModelopt) {
  for (const std::vector<std::uint64_t>& shape : {std::vector<std::uint64_t>{}, {1}}) {
    expect_fp8(fp8_of_modelopt(3, 5, number(0.3f, shape)), 5,
               [](std::uint64_t, std::uint64_t) { return 0.3f; });
  }
  const std::vector<float> by_row = {0.3f, 3, 0.7f};
  expect_fp8(fp8_of_modelopt(3, 5, {"F32", {3}, packed_bytes(by_row)}), 5,
             [&](std::uint64_t row, std::uint64_t) { return by_row[row]; });
  const std::vector<float> by_block = {0.3f, 3, 0.7f, 5, 0.9f, 7};
  expect_fp8(fp8_of_modelopt(130, 300, {"F32", {2, 1, 3, 1}, packed_bytes(by_block)}), 300,
             [&](std::uint64_t row, std::uint64_t column) {
               return by_block[row / 128 * 3 + column / 128];
             });
}

// What a change to ModelOpt's or to compressed-tensors' matrix makes of it, and what is said.
struct Altered {
  std::string tensor;
  SyntheticTensor now;  ///< without a type: it is taken out
  std::string named;
  std::string what;
};

void expect_refusals(const Synthetic& sound, const std::vector<Altered>& changes) {
  weights_of(sound);
  for (const Altered& change : changes) {
    Synthetic checkpoint = sound;
    checkpoint.tensors.erase(change.tensor);
    if (!change.now.dtype.empty()) checkpoint.tensors[change.tensor] = change.now;
    expect_refused(checkpoint, ErrorCode::input_format, change.what);
    expect_refused(checkpoint, ErrorCode::input_format, "'" + change.named + "'");
  }
}

TEST(Nvfp4, WhatIsMissingOrDoesNotFitIsNamed) {
  const std::string scale = kUp + "_scale";
  const std::string common = kUp + "_scale_2";
  const SyntheticTensor sound = of_modelopt().take(scale);
  const std::string one(1, '\x38');
  expect_refusals(
      of_modelopt(),
      {{scale, {}, kUp, "its factors are missing: no tensor " + scale},
       {common, {}, kUp, "its factors are missing: no tensor " + common},
       {kUp, {}, common, "there is no weight that it belongs to"},
       {scale, {"U8", sound.shape, sound.bytes}, scale, "its elements are U8"},
       {scale, {"F8_E4M3", {1}, one}, scale, "do not fit the weights, 3 x 24 bytes of two"},
       {scale, {"F8_E4M3", {3, 2}, "\x38\x38\x38\x38\x38\x38"}, scale, "do not fit the weights"},
       {scale, {"F8_E4M3", {9}, sound.bytes}, scale, "do not fit the weights"},
       {common, {"BF16", {}, "ab"}, common, "its elements are BF16"},
       {common, {"F32", {2}, packed_bytes<float>({1, 1})}, common, "expected is one number"},
       {common, number(0), common, "is 0, which is no positive number"},
       {common, number(-1), common, "is -1, which is no positive number"},
       {common, number(std::nanf("")), common, "is nan, which is no positive number"},
       {common, number(std::numeric_limits<float>::infinity()), common, "is inf, which is no"}});
}

TEST(Nvfp4, WhatCompressedTensorsLackIsNamed) {
  const std::string packed = kUp + "_packed";
  const std::string common = kUp + "_global_scale";
  expect_refusals(
      of_compressed_tensors(),
      {{kUp + "_scale", {}, packed, "its factors are missing: no tensor " + kUp + "_scale"},
       {common, {}, packed, "its factors are missing: no tensor " + common},
       {packed, {}, common, "there is no weight that it belongs to"},
       {common, number(0, {1}), common, "is 0, which is no positive number"}});
}

TEST(Nvfp4, NumbersNearToOneAnotherAreReadAtOnce) {
  for (const std::uint64_t between : {1u << 10, 1u << 15}) {  // of F32, between the two
    Synthetic checkpoint = of_modelopt();
    const std::string gate = "model.layers.0.mlp.gate_proj.weight";
    for (const char* const end : {"", "_scale", "_scale_2"}) {
      checkpoint.tensors[gate + end] = checkpoint.tensors[kUp + end];
    }
    checkpoint.tensors["model.layers.0.mlp.h"] = {"F32", {between}, std::string(4 * between, 0)};
    const auto fixture = checkpoint.make();
    std::size_t reads = 0;
    fixture->folder.read = [&, read = fixture->folder.read](const Place& place) {
      ++reads;
      return read(place);
    };
    EXPECT_THROW(read_checkpoint(fixture->folder, {}), Error);  // which knows of no tensor "h"
    EXPECT_EQ(reads, between == 1u << 10 ? 1u : 2u);
  }
}

TEST(Nvfp4, FilesThatCannotBeReadAreNamed) {
  const auto fixture = of_modelopt().make();
  fixture->folder.read = [](const Place&) { return std::vector<std::byte>(); };
  try {
    read_checkpoint(fixture->folder, {});
    ADD_FAILURE() << "read without an error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(kUp + "_scale_2"), std::string::npos) << error.what();
  }
}

TEST(Nvfp4, WhatIsNotReadIsRefused) {
  Synthetic checkpoint = of_modelopt();
  for (const char* const algorithm : {"W4A8_AWQ", "INT8_SQ", "W4A8_NVFP4_FP8", "MXFP8", "x\n"}) {
    checkpoint.config["quantization_config"] = modelopt(algorithm);
    expect_refused(checkpoint, ErrorCode::input_type, "modelopt as");
  }
  checkpoint.config["quantization_config"] = modelopt("MIXED_PRECISION");
  checkpoint.config["quantization_config"]["quantized_layers"] = {
      {"model.layers.0.mlp.up_proj", {{"quant_algo", "W4A16_AWQ"}}}};
  expect_refused(checkpoint, ErrorCode::input_type, "modelopt as W4A16_AWQ");
  checkpoint.config.erase("quantization_config");
  checkpoint.texts["hf_quant_config.json"] = R"({"quantization": {"quant_algo": "INT8_SQ"}})";
  expect_refused(checkpoint, ErrorCode::input_type, "modelopt as INT8_SQ");
  Synthetic scaled = of_modelopt();
  scaled.tensors["model.layers.0.mlp.up_proj.pre_quant_scale"] = {"BF16", {1}, "ab"};
  expect_refused(scaled, ErrorCode::input_type, "whose inputs are to be scaled");

  Synthetic other = of_compressed_tensors();
  json group = nvfp4_group();
  for (const auto& [key, value] : std::map<std::string, json>{
           {"group_size", 32}, {"num_bits", 8}, {"type", "int"}, {"symmetric", false}}) {
    json changed = group;
    changed["weights"][key] = value;
    other.config["quantization_config"] = in_format("nvfp4-pack-quantized", {{"g", changed}});
    expect_refused(other, ErrorCode::input_type, "NVFP4 that is not E2M1 in groups of 16");
  }
  group["format"] = "marlin-24";
  other.config["quantization_config"] = in_format("mixed-precision", {{"g", group}});
  expect_refused(other, ErrorCode::input_type, "in the format marlin-24");
  json channel = {{"format", "float-quantized"}, {"weights", {{"strategy", "channel"}}}};
  json block = {{"format", "float-quantized"},
                {"weights", {{"strategy", "block"}, {"block_structure", {128, 128}}}}};
  other.config["quantization_config"] =
      in_format("mixed-precision", {{"a", channel}, {"b", block}, {"c", nvfp4_group()}});
  expect_refused(other, ErrorCode::input_type, "several ways");
}

}  // namespace
}  // namespace sluice::checkpoint
