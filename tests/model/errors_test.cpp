// Models that cannot be run say why, and what it is about.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/runs.h"
#include "sluice/error.h"

namespace sluice::model_tests {
namespace {

using testing_support::Bytes;
using testing_support::GgufWeights;
namespace families = testing_support::random_families;

struct Failure {
  ErrorCode code;
  std::string text;
};

Failure failure_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

/// What becomes of a small model after a change to its header.
Failure describe(const std::function<void(gguf::Header&)>& change) {
  gguf::Header header = GgufWeights(families::llama()).header();
  change(header);
  return failure_of([&] { model::Network::of(header, "tiny.gguf"); });
}

gguf::Tensor& tensor_of(gguf::Header& header, const std::string& name) {
  return *std::find_if(header.tensors.begin(), header.tensors.end(),
                       [&](const gguf::Tensor& t) { return t.name == name; });
}

TEST(ModelErrors, NameTheKindAndThoseThatCanBeRun) {
  const Failure failure = describe(
      [](gguf::Header& header) { header.set("general.architecture", gguf::Value::of("rwkv7")); });
  EXPECT_EQ(failure.code, ErrorCode::input_type);
  EXPECT_NE(failure.text.find("'rwkv7'"), std::string::npos) << failure.text;
  EXPECT_NE(failure.text.find("llama"), std::string::npos) << failure.text;
  EXPECT_NE(failure.text.find("--imatrix"), std::string::npos) << failure.text;
}

TEST(ModelErrors, NameWhatIsMissing) {
  for (const std::string key : {"llama.embedding_length", "llama.block_count",
                                "llama.attention.head_count", "llama.feed_forward_length",
                                "llama.attention.layer_norm_rms_epsilon", "general.architecture"}) {
    const Failure failure = describe([&](gguf::Header& header) { header.erase(key); });
    EXPECT_EQ(failure.code, ErrorCode::input_format);
    EXPECT_NE(failure.text.find(key), std::string::npos) << failure.text;
  }
  for (const std::string name :
       {"token_embd.weight", "blk.1.attn_k.weight", "blk.2.ffn_norm.weight",
        "blk.0.ffn_down.weight", "output_norm.weight"}) {
    const Failure failure =
        describe([&](gguf::Header& header) { tensor_of(header, name).name = "another"; });
    EXPECT_EQ(failure.code, ErrorCode::input_format);
    EXPECT_NE(failure.text.find(name), std::string::npos) << failure.text;
    EXPECT_NE(failure.text.find("tiny.gguf"), std::string::npos) << failure.text;
  }
}

TEST(ModelErrors, NameBothShapes) {
  const Failure failure = describe([](gguf::Header& header) {
    tensor_of(header, "blk.1.attn_k.weight").shape = {64, 48};
  });
  EXPECT_EQ(failure.code, ErrorCode::input_format);
  EXPECT_NE(failure.text.find("blk.1.attn_k.weight"), std::string::npos) << failure.text;
  EXPECT_NE(failure.text.find("64 x 48"), std::string::npos) << failure.text;
  EXPECT_NE(failure.text.find("64 x 32"), std::string::npos) << failure.text;
}

TEST(ModelErrors, RefuseNumbersThatMakeNoSense) {
  for (const auto& [key, value] :
       {std::pair{"llama.attention.head_count", gguf::Value::of(0u)},
        std::pair{"llama.attention.head_count_kv", gguf::Value::of(3u)},
        std::pair{"llama.rope.dimension_count", gguf::Value::of(17u)},
        std::pair{"llama.rope.dimension_count", gguf::Value::of(32u)},
        std::pair{"llama.attention.key_length", gguf::Value::of(0u)},
        std::pair{"llama.attention.value_length", gguf::Value::of(0xffffffffu)},
        std::pair{"llama.embedding_length", gguf::Value::of(0u)},
        std::pair{"llama.embedding_length", gguf::Value::of("wide")},
        std::pair{"llama.rope.scaling.factor", gguf::Value::of(-1.0f)},
        std::pair{"llama.rope.freq_base", gguf::Value::of(0.0f)}}) {
    const Failure failure =
        describe([&, k = key, v = value](gguf::Header& header) { header.set(k, v); });
    EXPECT_EQ(failure.code, ErrorCode::input_format) << failure.text;
  }
}

TEST(ModelErrors, RefuseExpertsAndHeadsThatMakeNoSense) {
  const Bytes file = families::RandomDeepSeek{3, 16, 4, 2, {.query_latent = 24}, 4, 2}.build();
  for (const auto& [key, value] :
       {std::pair{"expert_used_count", 0u}, std::pair{"expert_used_count", 17u},
        std::pair{"expert_used_count", 9u}, std::pair{"expert_count", 8u},
        std::pair{"expert_group_count", 3u}, std::pair{"expert_group_used_count", 5u},
        std::pair{"expert_gating_func", 9u}, std::pair{"expert_shared_count", 3u},
        std::pair{"attention.head_count", 0u}, std::pair{"attention.kv_lora_rank", 0u},
        std::pair{"attention.key_length_mla", 8u}, std::pair{"rope.dimension_count", 24u}}) {
    gguf::Header header = GgufWeights(file).header();
    header.set(std::string("deepseek2.") + key, gguf::Value::of(value));
    const Failure failure = failure_of([&] { model::Network::of(header, "tiny.gguf"); });
    EXPECT_EQ(failure.code, ErrorCode::input_format) << key << failure.text;
  }
}

TEST(ModelErrors, RefuseDeltaNetsThatMakeNoSense) {
  const Bytes file = testing_support::RandomHybrid{.architecture = "qwen35"}.build();
  for (const auto& [key, value] :
       {std::pair{"ssm.group_count", 0u}, std::pair{"ssm.group_count", 4u},
        std::pair{"ssm.group_count", 3u}, std::pair{"ssm.time_step_rank", 0u},
        std::pair{"ssm.time_step_rank", 5u}, std::pair{"ssm.state_size", 0u},
        std::pair{"ssm.state_size", 0xffffffffu}, std::pair{"ssm.inner_size", 0u},
        std::pair{"ssm.inner_size", 143u}, std::pair{"ssm.conv_kernel", 3u},
        std::pair{"attention.value_length", 16u}}) {
    gguf::Header header = GgufWeights(file).header();
    header.set(std::string("qwen35.") + key, gguf::Value::of(value));
    const Failure failure = failure_of([&] { model::Network::of(header, "tiny.gguf"); });
    EXPECT_EQ(failure.code, ErrorCode::input_format) << key << failure.text;
  }
}

TEST(ModelErrors, NameTheTokenThatTheModelHasNot) {
  GgufWeights weights(families::llama());
  const model::Network network = model::Network::of(weights.header(), "tiny.gguf");
  model::Tokens tokens = random_tokens(1, 8);
  tokens.ids[3] = 288;
  const Failure failure = failure_of([&] { run(network, weights, tokens); });
  EXPECT_EQ(failure.code, ErrorCode::usage);
  EXPECT_NE(failure.text.find("288"), std::string::npos) << failure.text;
}

TEST(ModelErrors, NameTheLayerThatMakesWhatIsNoNumber) {
  class Broken : public GgufWeights {
   public:
    using GgufWeights::GgufWeights;
    std::vector<float> numbers(std::string_view name) override {
      std::vector<float> values = GgufWeights::numbers(name);
      if (name == "blk.1.ffn_norm.weight") values[5] = NAN;
      return values;
    }
  };
  Broken weights(families::llama());
  const model::Network network = model::Network::of(weights.header(), "tiny.gguf");
  const Failure failure = failure_of([&] { run(network, weights, random_tokens(1, 8)); });
  EXPECT_EQ(failure.code, ErrorCode::input_value);
  EXPECT_NE(failure.text.find("layer 1"), std::string::npos) << failure.text;
  EXPECT_NE(failure.text.find("tiny.gguf"), std::string::npos) << failure.text;
}

TEST(ModelErrors, TellTheLeastMemory) {
  GgufWeights weights(families::llama());
  const model::Network network = model::Network::of(weights.header(), "tiny.gguf");
  const model::Tokens tokens = random_tokens(1, 8);
  const std::uint64_t least = network.least_memory(tokens, 1);
  const Failure failure = failure_of([&] { run(network, weights, tokens, {.memory = least - 1}); });
  EXPECT_EQ(failure.code, ErrorCode::memory_budget);
  EXPECT_NE(failure.text.find(std::to_string(least)), std::string::npos) << failure.text;
}

}  // namespace
}  // namespace sluice::model_tests
