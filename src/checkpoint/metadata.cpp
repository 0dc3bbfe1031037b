#include "checkpoint/metadata.h"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "base/text.h"
#include "checkpoint/rope.h"
#include "sluice/error.h"

namespace sluice::checkpoint {
namespace {

struct GatingFunction {
  std::string_view name;
  std::uint64_t number;  ///< in GGUF
};

constexpr std::array kGatingFunctions = {GatingFunction{"softmax", 1}, GatingFunction{"sigmoid", 2},
                                         GatingFunction{"sqrtsoftplus", 4}};

std::optional<std::uint64_t> gating_function(const Config& config) {
  const Keys keys = {"score_function",
                     "scoring_func",
                     "score_func",
                     "moe_router_activation",
                     "moe_router_activation_func",
                     "expert_selection_fn"};
  const std::optional<std::string> name = config.find_text(keys);
  if (!name) return std::nullopt;
  for (const GatingFunction& function : kGatingFunctions) {
    if (function.name == *name) return function.number;
  }
  config.refuse(*keys.begin(),
                fmt::format("'{}' chooses experts in no way that GGUF knows", printable(*name)));
}

}  // namespace

void Metadata::set(std::string_view key, gguf::Value value) {
  header_.set(fmt::format("{}.{}", architecture_, key), std::move(value));
}

void Metadata::expect_at_most(std::uint64_t most, std::string_view key,
                              std::uint64_t number) const {
  if (number <= most) return;
  throw Error(ErrorCode::input_format,
              fmt::format("{}.{} would be {}, more than 32 bits hold", architecture_, key, number),
              {.cure = "Compare config.json with the published one"});
}

void Metadata::whole(std::string_view key, std::optional<std::uint64_t> number) {
  if (!number) return;
  expect_at_most(std::numeric_limits<std::uint32_t>::max(), key, *number);
  set(key, gguf::Value::of(static_cast<std::uint32_t>(*number)));
}

void Metadata::wholes(std::string_view key, const std::vector<std::uint64_t>& numbers) {
  std::vector<std::int32_t> signed_numbers;
  for (const std::uint64_t number : numbers) {
    expect_at_most(std::numeric_limits<std::int32_t>::max(), key, number);
    signed_numbers.push_back(static_cast<std::int32_t>(number));
  }
  set(key, gguf::Value::of_ints(signed_numbers));
}

void Metadata::number(std::string_view key, std::optional<double> number) {
  if (number) set(key, gguf::Value::of(static_cast<float>(*number)));
}

void Metadata::truth(std::string_view key, std::optional<bool> truth) {
  if (truth) set(key, gguf::Value::of(*truth));
}

void common_keys(const Config& config, std::uint64_t layers, Metadata& out) {
  out.whole("block_count", layers);
  out.whole("context_length",
            config.find_whole({"max_position_embeddings", "n_ctx", "n_positions", "max_length",
                               "max_sequence_length", "model_max_length"}));
  out.whole("embedding_length", config.find_whole({"hidden_size", "n_embd", "dim"}));
  out.whole("feed_forward_length",
            config.find_whole({"prefix_dense_intermediate_size", "dense_intermediate_size",
                               "intermediate_size", "n_inner", "hidden_dim"}));
  out.whole("attention.head_count",
            config.find_whole({"num_attention_heads", "n_head", "n_heads"}));
  out.whole("attention.head_count_kv", config.find_whole({"num_key_value_heads", "n_kv_heads"}));
  rope_keys(config, out);
  out.number("attention.layer_norm_rms_epsilon", config.find_number({"rms_norm_eps", "norm_eps"}));
  out.number("attention.layer_norm_epsilon",
             config.find_number({"layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"}));
  out.whole("expert_count", expert_count(config));
  out.whole("expert_used_count",
            config.find_whole({"num_experts_per_tok", "num_experts_per_token", "top_k_experts"}));
  out.whole("expert_group_count", config.find_whole({"n_group"}));
  out.whole("expert_group_used_count", config.find_whole({"topk_group"}));
  out.whole("expert_gating_func", gating_function(config));
  out.whole("attention.key_length", config.find_whole({"head_dim"}));
  out.whole("attention.value_length", config.find_whole({"head_dim"}));
  if (config.find_truth({"is_causal"}) == false) out.truth("attention.causal", false);
}

std::optional<std::uint64_t> expert_count(const Config& config) {
  return config.find_whole(
      {"num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts"});
}

std::vector<std::uint8_t> window_layers(const Config& config, std::uint64_t layers) {
  const auto types = config.find_texts("layer_types");
  if (!types || types->size() < layers) {
    config.refuse("layer_types", "expected is a type for each layer");
  }
  std::vector<std::uint8_t> windows;
  for (std::uint64_t layer = 0; layer < layers; ++layer) {
    windows.push_back((*types)[layer] == "sliding_attention");
  }
  return windows;
}

std::uint64_t head_count(const Config& config) {
  return config.positive({"num_attention_heads", "n_head", "n_heads"});
}

std::uint64_t key_head_count(const Config& config) {
  const auto count = config.find_whole({"num_key_value_heads", "n_kv_heads"});
  return count ? *count : head_count(config);
}

std::uint64_t head_size(const Config& config) {
  if (const auto size = config.find_whole({"head_dim"})) return *size;
  return config.whole({"hidden_size", "n_embd", "dim"}) / head_count(config);
}

}  // namespace sluice::checkpoint
