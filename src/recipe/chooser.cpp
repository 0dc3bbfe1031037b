#include "recipe/chooser.h"

#include <algorithm>
#include <optional>

namespace sluice::recipe {
namespace {

/// Tensors that hold the values, alone or with others.
bool has_values(Mix mix, TensorKind kind) {
  switch (kind) {
    case TensorKind::attn_v:
    case TensorKind::attn_qkv:
      return true;
    case TensorKind::attn_kv_b:
      return mix == Mix::llama_cpp;
    default:
      return false;
  }
}

bool is_ffn(TensorKind kind) {
  return kind == TensorKind::ffn_down || kind == TensorKind::ffn_gate || kind == TensorKind::ffn_up;
}

bool is_stacked(const gguf::Tensor& tensor) {
  return tensor.shape.size() > 2 && tensor.shape[2] > 1;
}

}  // namespace

MixChooser::MixChooser(Mix mix, const FileType& file_type, bool has_imatrix,
                       const gguf::Header& model)
    : mix_(mix),
      file_type_(static_cast<Ftype>(file_type.number)),
      own_(file_type.type),
      has_imatrix_(has_imatrix),
      facts_(read_model_facts(model)) {
  values_ = static_cast<std::uint64_t>(std::ranges::count_if(
      model.tensors, [&](const gguf::Tensor& t) { return has_values(mix, kind_of(t.name)); }));
}

std::uint64_t& MixChooser::seen(TensorKind kind) {
  switch (kind) {
    case TensorKind::ffn_down:
      return seen_[0];
    case TensorKind::ffn_gate:
      return seen_[1];
    case TensorKind::ffn_up:
      return seen_[2];
    case TensorKind::attn_v:
      return seen_[3];
    default:  // ik_llama.cpp counts these with nobody, llama.cpp with the values
      return mix_ == Mix::llama_cpp && has_values(mix_, kind) ? seen_[3] : seen_[4];
  }
}

Rule MixChooser::choose(const gguf::Tensor& tensor) {
  const TensorKind kind = kind_of(tensor.name);
  const bool is_output = kind == TensorKind::output ||
                         (facts_.tied_output &&
                          (kind == TensorKind::token_embd ||
                           (kind == TensorKind::per_layer_token_embd && mix_ == Mix::llama_cpp)));
  if (is_output) {
    return mix_ == Mix::llama_cpp
               ? llama_cpp_output_rule(file_type_, own_, facts_, tensor.row_elements())
               : ik_llama_cpp_output_rule(file_type_, own_, facts_, tensor.row_elements());
  }
  std::uint64_t index = seen(kind)++;
  // Both peers count tensors, not layers: where a layer has several (`ffn_down_exps` and
  // `ffn_down_shexp`), the better type ends before the first eighth of the layers does. Only with
  // experts, and not for file types of few bits, do they look at the layer in the name.
  if (is_ffn(kind) && facts_.experts > 1 && !kFewBits.contains(file_type_)) {
    const int layer = layer_of(tensor.name);
    if (layer >= 0) index = static_cast<std::uint64_t>(layer);
  }
  const Situation situation{.facts = facts_,
                            .has_imatrix = has_imatrix_,
                            .index = index,
                            .values = is_ffn(kind) ? std::nullopt : std::optional(values_),
                            .stacked = is_stacked(tensor),
                            .shared_expert = tensor.name.find("_shexp.weight") != tensor.name.npos};
  return mix_ == Mix::llama_cpp ? llama_cpp_rule(kind, file_type_, own_, situation)
                                : ik_llama_cpp_rule(kind, file_type_, own_, situation);
}

}  // namespace sluice::recipe
