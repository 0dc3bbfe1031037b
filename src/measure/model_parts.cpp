#include "measure/model_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "recipe/tensor_kind.h"

namespace sluice::measure {
namespace {

constexpr std::string_view kEnding = ".weight";

// A feed-forward network's matrices by what their names begin with; what follows is the part's.
constexpr std::string_view kFeedForward[] = {"ffn_gate_up", "ffn_gate_inp", "ffn_gate", "ffn_up",
                                             "ffn_down"};

}  // namespace

std::string_view stem_of(std::string_view tensor) noexcept {
  if (recipe::layer_of(tensor) < 0 || !tensor.ends_with(kEnding)) return {};
  tensor.remove_suffix(kEnding.size());
  return tensor.substr(tensor.find('.', tensor.find('.') + 1) + 1);
}

bool is_measured(const gguf::Tensor& tensor) {
  if (tensor.shape.size() < 2 || tensor.elements() == 0 || !has_layout(tensor.type)) return false;
  return tensor.shape[1] > 1 && tensor.name.ends_with(kEnding);
}

std::string part_of(std::string_view stem) {
  if (stem.starts_with("attn_") || stem.starts_with("ssm_")) return "attn";
  for (const std::string_view begin : kFeedForward) {
    if (!stem.starts_with(begin)) continue;
    const std::string_view rest = stem.substr(begin.size());
    return begin == "ffn_gate_inp" && rest.empty() ? "ffn_exps" : fmt::format("ffn{}", rest);
  }
  return {};
}

bool writes(std::string_view stem) noexcept {
  return stem == "attn_output" || stem == "ssm_out" || stem.starts_with("ffn_down");
}

bool routes(std::string_view stem) noexcept {
  return stem.starts_with("ffn_gate_inp");
}

bool has_experts(std::string_view stem) noexcept {
  return stem.ends_with("_exps");
}

std::string norm_before(std::string_view tensor,
                        const std::function<bool(const std::string&)>& has) {
  if (tensor == "output.weight") return "output_norm.weight";
  const std::string_view stem = stem_of(tensor);
  if (stem.empty() || writes(stem)) return {};
  const auto first_of = [&](std::initializer_list<const char*> norms) -> std::string {
    for (const char* const norm : norms) {
      std::string name = fmt::format("blk.{}.{}.weight", recipe::layer_of(tensor), norm);
      if (has(name)) return name;
    }
    return {};
  };
  if (stem == "attn_q_b") return first_of({"attn_q_a_norm"});
  if (stem == "attn_kv_b" || stem == "attn_v_b") return first_of({"attn_kv_a_norm"});
  if (stem == "attn_k_b") return {};
  if (stem.starts_with("ffn_")) return first_of({"ffn_norm", "post_attention_norm", "attn_norm"});
  return first_of({"attn_norm"});
}

double metadata_number(const gguf::Header& model, std::string_view key, double otherwise) {
  const gguf::Value* const architecture = model.find("general.architecture");
  const gguf::Value* const value = model.find(fmt::format(
      "{}.{}", architecture ? architecture->as_string().value_or("") : std::string(), key));
  if (value == nullptr) return otherwise;
  if (const auto whole = value->as_uint()) return static_cast<double>(*whole);
  return value->as_float().value_or(otherwise);
}

double experts_weight(const gguf::Header& model) {
  const double scale = metadata_number(model, "expert_weights_scale", 1);
  const double used = metadata_number(model, "expert_used_count", 1);
  return (scale > 0 ? scale * scale : 1) / std::max(1.0, used);
}

}  // namespace sluice::measure
