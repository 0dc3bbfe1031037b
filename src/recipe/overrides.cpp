#include "recipe/overrides.h"

#include <fmt/format.h>

#include "base/text.h"

namespace sluice::recipe {

Overrides::Overrides(const RecipeOptions& options)
    : options_(options),
      output_{"--output-tensor-type", &options.output_tensor},
      token_embedding_{"--token-embedding-type", &options.token_embedding},
      per_layer_token_embedding_{"--per-layer-token-embedding-type",
                                 &options.per_layer_token_embedding},
      ffn_gate_inp_{"--ffn-gate-inp-type", &options.ffn_gate_inp},
      attn_q_{"--attn-q-type", &options.kinds.attn_q},
      attn_k_{"--attn-k-type", &options.kinds.attn_k},
      attn_v_{"--attn-v-type", &options.kinds.attn_v},
      attn_qkv_{"--attn-qkv-type", &options.kinds.attn_qkv},
      attn_output_{"--attn-output-type", &options.kinds.attn_output},
      ffn_gate_{"--ffn-gate-type", &options.kinds.ffn_gate},
      ffn_down_{"--ffn-down-type", &options.kinds.ffn_down},
      ffn_up_{"--ffn-up-type", &options.kinds.ffn_up} {
  for (const TypeRule& rule : options.tensor_types) {
    tensor_types_.push_back({&rule, Pattern(rule.pattern)});
  }
  for (const TypeRule& rule : options.custom_types) {
    custom_types_.push_back({&rule, Pattern(rule.pattern)});
  }
}

std::optional<Rule> Overrides::take(Named& named) {
  if (!*named.type) return std::nullopt;
  named.used = true;
  return Rule{**named.type, named.option};
}

bool Overrides::few_bits_of_ik() const {
  return options_.mix == Mix::ik_llama_cpp &&
         kFewBits.contains(static_cast<Ftype>(options_.file_type->number));
}

std::optional<Rule> Overrides::for_single(const gguf::Tensor& tensor, TensorKind kind) {
  if (is_router(tensor.name)) return take(ffn_gate_inp_);
  switch (kind) {
    case TensorKind::output:
      return take(output_);
    case TensorKind::token_embd:
      return take(token_embedding_);
    case TensorKind::per_layer_token_embd: {
      const auto own = take(per_layer_token_embedding_);
      return own || options_.mix == Mix::ik_llama_cpp ? own : take(token_embedding_);
    }
    default:
      return std::nullopt;
  }
}

std::optional<Rule> Overrides::for_tied_output(TensorKind kind) {
  const bool serves = kind == TensorKind::token_embd ||
                      (kind == TensorKind::per_layer_token_embd && options_.mix == Mix::llama_cpp);
  return serves ? take(output_) : std::nullopt;
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
      return take(attn_v_);
    case TensorKind::attn_k:
    case TensorKind::attn_k_part:
    case TensorKind::attn_kv_b:
      return take(attn_k_);
    case TensorKind::attn_qkv: {
      const auto own = take(attn_qkv_);
      return own ? own : take(attn_q_);
    }
    case TensorKind::attn_q:
    case TensorKind::attn_q_part:
      return take(attn_q_);
    case TensorKind::attn_output:
      return take(attn_output_);
    case TensorKind::ffn_down:
      return take(ffn_down_);
    case TensorKind::ffn_gate:
      return take(ffn_gate_);
    case TensorKind::ffn_up:
      return take(ffn_up_);
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
  for (const Named* named :
       {&output_, &token_embedding_, &per_layer_token_embedding_, &ffn_gate_inp_, &attn_q_,
        &attn_k_, &attn_v_, &attn_qkv_, &attn_output_, &ffn_gate_, &ffn_down_, &ffn_up_}) {
    if (!*named->type || named->used) continue;
    const bool single = named == &output_ || named == &token_embedding_ ||
                        named == &per_layer_token_embedding_ || named == &ffn_gate_inp_;
    std::string why = single ? why_single : why_late;
    const bool of_kind = !single && named != &attn_output_;
    if (of_kind && !options_.pure && few_bits_of_ik()) why = with_type;
    add(fmt::format("{} {}", named->option, name(**named->type)), why);
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
