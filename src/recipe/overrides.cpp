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
  return Rule{**named.type, named.option};
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
  return Rule{last->type, "--tensor-type"};
}

std::optional<Rule> Overrides::by_custom_type(const gguf::Tensor& tensor) {
  for (Compiled& each : custom_types_) {
    if (!each.pattern.found_in(tensor.name)) continue;
    each.used = true;
    return Rule{each.rule->type, "--custom-q"};
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

std::vector<std::string> Overrides::notes() const {
  std::vector<std::string> notes;
  if (!contradiction_.empty()) notes.push_back(contradiction_);
  const auto add = [&](const std::string& request, std::string_view why) {
    notes.push_back(fmt::format("{} has no effect {}", request, why));
  };
  // Why requests of each sort are not looked at, if they are not.
  const FileType& file_type = *options_.file_type;
  const std::string with_type = fmt::format("with {}", file_type.name);
  const bool plain = info(file_type.type).block_elements == 1;
  const std::string on_none = "on any tensor of this model";
  const std::string why_single = file_type.copy ? with_type : on_none;
  const std::string why_rule = plain ? with_type : on_none;
  const std::string why_late = plain ? with_type : options_.pure ? "with --pure" : on_none;
  for (std::size_t i = 0; i < named_.size(); ++i) {
    const NamedType& named = named_[i];
    if (!*named.type || named.used) continue;
    const auto request = static_cast<Request>(i);
    const bool single = request <= Request::ffn_gate_inp;
    std::string why = single ? why_single : why_late;
    const bool of_kind = !single && request != Request::attn_output;
    if (of_kind && !options_.pure && few_bits_of_ik()) why = with_type;
    add(fmt::format("{} {}", named.option, name(**named.type)), why);
  }
  const auto add_unused = [&](const char* option, const std::vector<Compiled>& rules,
                              std::string_view why) {
    for (const Compiled& each : rules) {
      if (each.used) continue;
      add(fmt::format("{} {}={}", option, printable(each.rule->pattern), name(each.rule->type)),
          why);
    }
  };
  add_unused("--tensor-type", tensor_types_, why_rule);
  add_unused("--custom-q", custom_types_, why_late);
  return notes;
}

}  // namespace sluice::recipe
