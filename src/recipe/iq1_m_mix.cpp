#include "recipe/iq1_m_mix.h"

#include "recipe/tensor_kind.h"

namespace sluice::recipe {
namespace {

constexpr Rule kDefault = {TensorType::iq1_m, "default"};
constexpr Rule kTokenEmbedding = {TensorType::q2_k, "token embedding"};
constexpr std::uint64_t kSuperBlock = 256;

}  // namespace

Rule Iq1mMix::choose(const gguf::Tensor& tensor) {
  return mix_ == Mix::llama_cpp ? choose_llama_cpp(tensor) : choose_ik_llama_cpp(tensor);
}

/// Both peers give way to Q8_0 here rather than to the wanted type's fallback.
Rule Iq1mMix::choose_output(const gguf::Tensor& tensor, Rule rule) const {
  if (facts_.architecture == "falcon") return {TensorType::q8_0, "output of Falcon"};
  if (tensor.row_elements() % kSuperBlock != 0) {
    return {TensorType::q8_0, "output with rows that are no multiple of 256"};
  }
  return rule;
}

/// Both peers count tensors, not layers: where a layer has several (`ffn_down_exps` and
/// `ffn_down_shexp`), the better type ends before the first eighth of the layers does.
Rule Iq1mMix::choose_ffn_down() {
  if (ffn_down_seen_++ < facts_.layers / 8) return {TensorType::q2_k, "early ffn_down"};
  return kDefault;
}

Rule Iq1mMix::choose_llama_cpp(const gguf::Tensor& tensor) {
  const bool mixtral_like = facts_.experts == 8;
  switch (kind_of(tensor.name)) {
    case TensorKind::output:
      return choose_output(tensor, {TensorType::q5_k, "output"});
    case TensorKind::token_embd:
    case TensorKind::per_layer_token_embd:
      if (facts_.tied_output) {
        return choose_output(tensor, {TensorType::q5_k, "token embedding is output too"});
      }
      return kTokenEmbedding;
    case TensorKind::attn_v:
    case TensorKind::attn_qkv:
    case TensorKind::attn_kv_b:
      if (facts_.query_group >= 4) return {TensorType::q4_k, "values shared by 4 queries or more"};
      if (facts_.experts >= 4) return {TensorType::q4_k, "values of a model with experts"};
      return {TensorType::q2_k, "values"};
    case TensorKind::attn_k:
      return mixtral_like ? Rule{TensorType::q4_k, "keys of a model with 8 experts"} : kDefault;
    case TensorKind::attn_output:
      return mixtral_like ? Rule{TensorType::q5_k, "attention output of a model with 8 experts"}
                          : Rule{TensorType::iq2_xxs, "attention output"};
    case TensorKind::ffn_down:
      return choose_ffn_down();
    case TensorKind::attn_k_part:
    case TensorKind::attn_q:
    case TensorKind::other:
      break;
  }
  return kDefault;
}

Rule Iq1mMix::choose_ik_llama_cpp(const gguf::Tensor& tensor) {
  const bool many_experts = facts_.experts >= 8;
  switch (kind_of(tensor.name)) {
    case TensorKind::output:
      return choose_output(tensor, {TensorType::q5_k, "output"});
    case TensorKind::token_embd:
      if (facts_.tied_output) {
        return choose_output(tensor, {TensorType::iq4_k, "token embedding is output too"});
      }
      return kTokenEmbedding;
    case TensorKind::per_layer_token_embd:
      return kTokenEmbedding;
    case TensorKind::attn_v:
      if (facts_.query_group >= 4) return {TensorType::iq4_k, "values shared by 4 queries or more"};
      if (facts_.experts >= 4) return {TensorType::iq4_k, "values of a model with experts"};
      if (facts_.query_group >= 2) return {TensorType::iq3_k, "values shared by 2 or 3 queries"};
      if (facts_.experts >= 2) return {TensorType::iq3_k, "values of a model with experts"};
      return {TensorType::q2_k, "values"};
    case TensorKind::attn_qkv:
      if (many_experts) return {TensorType::q4_k, "attention of a model with 8 experts or more"};
      return {TensorType::iq2_k, "queries, keys and values in one"};
    case TensorKind::attn_k:
    case TensorKind::attn_k_part:
    case TensorKind::attn_kv_b:
    case TensorKind::attn_q:
      if (many_experts) return {TensorType::q4_k, "attention of a model with 8 experts or more"};
      return kDefault;
    case TensorKind::attn_output:
      if (facts_.experts >= 4) {
        return {TensorType::q5_k, "attention output of a model with experts"};
      }
      return {TensorType::iq2_k, "attention output"};
    case TensorKind::ffn_down:
      return choose_ffn_down();
    case TensorKind::other:
      break;
  }
  return kDefault;
}

}  // namespace sluice::recipe
