#include "recipe/model_facts.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "sluice/error.h"

namespace sluice::recipe {
namespace {

constexpr std::string_view kArchitecture = "general.architecture";

[[noreturn]] void throw_missing(std::string_view key) {
  throw Error(
      ErrorCode::input_format,
      "the model's metadata has no usable " + printable(key) + ", which the rules of the mix need",
      {.cure = "Add the key to the model, or give every tensor one type with --pure"});
}

/// A number that some models give once and others once a layer: the first layer's, as the peers'
/// rules look no further.
std::optional<std::uint64_t> first_number(const gguf::Header& model, const std::string& key) {
  const gguf::Value* value = model.find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto number = value->as_uint()) return number;
  const auto numbers = value->as_uints();
  if (!numbers || numbers->empty()) return std::nullopt;
  return numbers->front();
}

}  // namespace

ModelFacts read_model_facts(const gguf::Header& model) {
  const gguf::Value* architecture = model.find(kArchitecture);
  const auto name = architecture == nullptr ? std::nullopt : architecture->as_string();
  if (!name) throw_missing(kArchitecture);

  ModelFacts facts;
  facts.architecture = *name;
  const auto number = [&](std::string_view key) {
    return first_number(model, facts.architecture + "." + std::string(key));
  };
  const auto layers = number("block_count");
  if (!layers) throw_missing(facts.architecture + ".block_count");
  facts.layers = *layers;
  facts.experts = number("expert_count").value_or(0);
  const std::uint64_t heads = number("attention.head_count").value_or(0);
  const std::uint64_t kv_heads = number("attention.head_count_kv").value_or(heads);
  facts.query_group = kv_heads == 0 ? 0 : heads / kv_heads;
  facts.grouped_queries = heads != kv_heads;
  facts.vocabulary = number("vocab_size").value_or(0);
  if (const gguf::Value* tokens = model.find("tokenizer.ggml.tokens");
      tokens != nullptr && facts.vocabulary == 0) {
    if (const auto list = tokens->as_strings()) facts.vocabulary = list->size();
  }
  facts.row_elements = number("embedding_length").value_or(0);
  facts.tied_output = std::ranges::none_of(
      model.tensors, [](const gguf::Tensor& t) { return t.name == "output.weight"; });
  return facts;
}

bool is_70b(Mix mix, const ModelFacts& facts) noexcept {
  if (facts.layers != 80) return false;
  if (facts.architecture == "llama") return facts.grouped_queries && facts.experts != 8;
  if (facts.architecture == "qwen2vl") return mix == Mix::ik_llama_cpp;
  constexpr std::array<std::string_view, 3> kOthers = {"deci", "olmo", "qwen2"};
  return std::ranges::find(kOthers, facts.architecture) != kOthers.end();
}

bool is_8b(const ModelFacts& facts) noexcept {
  if (facts.architecture == "llama") {
    const bool small_vocabulary = facts.vocabulary < 40000 || facts.vocabulary == 49152;
    return facts.experts != 8 && (facts.layers == 36 || (facts.layers == 32 && !small_vocabulary));
  }
  if (facts.architecture == "qwen3" || facts.architecture == "qwen3vl") {
    return facts.layers == 36 && facts.row_elements != 2560;
  }
  if (facts.architecture == "cohere2") return facts.layers == 32;
  return facts.architecture == "mistral3" && facts.layers == 34;
}

}  // namespace sluice::recipe
