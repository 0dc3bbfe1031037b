#include "recipe/model_facts.h"

#include <algorithm>
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
  facts.tied_output = std::ranges::none_of(
      model.tensors, [](const gguf::Tensor& t) { return t.name == "output.weight"; });
  return facts;
}

}  // namespace sluice::recipe
