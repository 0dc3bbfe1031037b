#include "recipe/overrides.h"

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::recipe {

std::array<NamedType, 12> named_types(const RecipeOptions& options) {
  const KindTypes& kinds = options.kinds;
  return {{{"--output-tensor-type", &options.output_tensor},
           {"--token-embedding-type", &options.token_embedding},
           {"--per-layer-token-embedding-type", &options.per_layer_token_embedding},
           {"--ffn-gate-inp-type", &options.ffn_gate_inp},
           {"--attn-q-type", &kinds.attn_q},
           {"--attn-k-type", &kinds.attn_k},
           {"--attn-v-type", &kinds.attn_v},
           {"--attn-qkv-type", &kinds.attn_qkv},
           {"--attn-output-type", &kinds.attn_output},
           {"--ffn-gate-type", &kinds.ffn_gate},
           {"--ffn-down-type", &kinds.ffn_down},
           {"--ffn-up-type", &kinds.ffn_up}}};
}

Overrides::Overrides(const RecipeOptions& options)
    : options_(options), named_(named_types(options)) {
  for (const TypeRule& rule : options.tensor_types) {
    tensor_types_.push_back({&rule, Pattern(rule.pattern)});
  }
  for (const TypeRule& rule : options.custom_types) {
    custom_types_.push_back({&rule, Pattern(rule.pattern)});
  }
}

std::optional<Rule> Overrides::take(Request request) {
  NamedType& named = named_[static_cast<std::size_t>(request)];
  if (!*named.type) return std::nullopt;
  named.used = true;
  return Rule{**named.type, named.option, Decider::user};
}

bool Overrides::few_bits_of_ik() const {
  return options_.mix == Mix::ik_llama_cpp &&
         kFewBits.contains(static_cast<Ftype>(options_.file_type->number));
}

std::optional<Rule> Overrides::for_single(const gguf::Tensor& tensor, TensorKind kind) {
  if (is_router(tensor.name)) return take(Request::ffn_gate_inp);
  switch (kind) {
    case TensorKind::output:
      return take(Request::output);
    case TensorKind::token_embd:
      return take(Request::token_embedding);
    case TensorKind::per_layer_token_embd: {
      const auto own = take(Request::per_layer_token_embedding);
      return own || options_.mix == Mix::ik_llama_cpp ? own : take(Request::token_embedding);
    }
    default:
      return std::nullopt;
  }
}

std::optional<Rule> Overrides::for_tied_output(TensorKind kind) {
  const bool serves = kind == TensorKind::token_embd ||
                      (kind == TensorKind::per_layer_token_embd && options_.mix == Mix::llama_cpp);
  return serves ? take(Request::output) : std::nullopt;
}

std::optional<Rule> Overrides::by_tensor_type(const gguf::Tensor& tensor) {
  const TypeRule* last = nullptr;
  for (Compiled& each : tensor_types_) {
    if (!each.pattern.found_in(tensor.name)) continue;
    each.used = true;
    if (last != nullptr && last->type != each.rule->type && contradiction_.empty()) {
      contradiction_ = fmt::format(
          "--tensor-type {}={} and, later, {}={} both match {}: the last one counts (llama.cpp "
          "v0.5.0 itself takes the first)",
          printable(last->pattern), name(last->type), printable(each.rule->pattern),
          name(each.rule->type), printable(tensor.name));
    }
    last = each.rule;
  }
  if (last == nullptr) return std::nullopt;
  return Rule{last->type, "--tensor-type", Decider::user};
}

std::optional<Rule> Overrides::by_custom_type(const gguf::Tensor& tensor) {
  for (Compiled& each : custom_types_) {
    if (!each.pattern.found_in(tensor.name)) continue;
    each.used = true;
    return Rule{each.rule->type, "--custom-q", Decider::user};
  }
  return std::nullopt;
}

std::optional<Rule> Overrides::by_kind(TensorKind kind) {
  if (few_bits_of_ik() && kind != TensorKind::attn_output) return std::nullopt;
  switch (kind) {
    case TensorKind::attn_v:
      return take(Request::attn_v);
    case TensorKind::attn_k:
    case TensorKind::attn_k_part:
    case TensorKind::attn_kv_b:
      return take(Request::attn_k);
    case TensorKind::attn_qkv: {
      const auto own = take(Request::attn_qkv);
      return own ? own : take(Request::attn_q);
    }
    case TensorKind::attn_q:
    case TensorKind::attn_q_part:
      return take(Request::attn_q);
    case TensorKind::attn_output:
      return take(Request::attn_output);
    case TensorKind::ffn_down:
      return take(Request::ffn_down);
    case TensorKind::ffn_gate:
      return take(Request::ffn_gate);
    case TensorKind::ffn_up:
      return take(Request::ffn_up);
    case TensorKind::output:
    case TensorKind::token_embd:
    case TensorKind::per_layer_token_embd:
    case TensorKind::other:
      break;
  }
  return std::nullopt;
}

}  // namespace sluice::recipe
