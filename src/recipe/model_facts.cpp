#include "recipe/model_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"
#include "sluice/error.h"

namespace sluice::recipe {
namespace {

/// llama.cpp reads no hyperparameters of image and audio projectors, which keep theirs apart for
/// each kind (`clip.vision.block_count`), so that its rules take them for models of no layers.
constexpr std::string_view kProjector = "clip";

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

std::uint64_t ModelFacts::layer_count() const {
  if (layers) return *layers;
  const std::string key =
      architecture.empty() ? "general.architecture" : printable(architecture) + ".block_count";
  throw Error(
      ErrorCode::input_format,
      fmt::format("the model's metadata has no usable {}, which the mix has rules for", key),
      {.cure = fmt::format("Give every tensor one type with --pure, or add the key with "
                           "--override-kv {}={}",
                           key, architecture.empty() ? "str:NAME" : "int:LAYERS")});
}

ModelFacts read_model_facts(const gguf::Header& model) {
  ModelFacts facts;
  facts.tied_output = std::ranges::none_of(
      model.tensors, [](const gguf::Tensor& t) { return t.name == "output.weight"; });
  const gguf::Value* architecture = model.find("general.architecture");
  if (architecture == nullptr) return facts;
  facts.architecture = architecture->as_string().value_or("");
  if (facts.architecture == kProjector) {
    facts.layers = 0;
    return facts;
  }
  const auto number = [&](std::string_view key) {
    return first_number(model, facts.architecture + "." + std::string(key));
  };
  facts.layers = number("block_count");
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
  return facts;
}

bool is_70b(Mix mix, const ModelFacts& facts) {
  constexpr std::uint64_t kLayers = 80;
  if (facts.architecture == "llama") {
    return facts.grouped_queries && facts.experts != 8 && facts.layer_count() == kLayers;
  }
  if (facts.architecture == "qwen2vl") {
    return mix == Mix::ik_llama_cpp && facts.layer_count() == kLayers;
  }
  constexpr std::array<std::string_view, 3> kOthers = {"deci", "olmo", "qwen2"};
  return std::ranges::find(kOthers, facts.architecture) != kOthers.end() &&
         facts.layer_count() == kLayers;
}

bool is_8b(const ModelFacts& facts) {
  if (facts.architecture == "llama") {
    const bool small_vocabulary = facts.vocabulary < 40000 || facts.vocabulary == 49152;
    return facts.experts != 8 &&
           (facts.layer_count() == 36 || (facts.layer_count() == 32 && !small_vocabulary));
  }
  if (facts.architecture == "qwen3" || facts.architecture == "qwen3vl") {
    return facts.row_elements != 2560 && facts.layer_count() == 36;
  }
  if (facts.architecture == "cohere2") return facts.layer_count() == 32;
  return facts.architecture == "mistral3" && facts.layer_count() == 34;
}

}  // namespace sluice::recipe
