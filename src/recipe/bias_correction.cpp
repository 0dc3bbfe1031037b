#include "recipe/bias_correction.h"

#include <algorithm>
#include <set>

#include "recipe/tensor_kind.h"

namespace sluice::recipe {
namespace {

/// The last block through which all tokens go: blocks that only foretell further tokens come after
/// it and know themselves by their `nextn` tensors.
int last_layer(std::span<const gguf::Tensor> tensors) {
  std::set<int> layers;
  std::set<int> aside;
  for (const gguf::Tensor& tensor : tensors) {
    const int layer = layer_of(tensor.name);
    layers.insert(layer);
    if (tensor.name.find(".nextn.") != std::string::npos) aside.insert(layer);
  }
  for (const int layer : aside) layers.erase(layer);
  return layers.empty() ? -1 : *layers.rbegin();
}

}  // namespace

std::vector<BiasCorrection> bias_corrections(std::span<const gguf::Tensor> tensors) {
  const int last = last_layer(tensors);
  const bool tied = std::ranges::none_of(
      tensors, [](const gguf::Tensor& t) { return kind_of(t.name) == TensorKind::output; });
  std::vector<BiasCorrection> corrections;
  for (const gguf::Tensor& tensor : tensors) {
    switch (kind_of(tensor.name)) {
      case TensorKind::attn_v:
      case TensorKind::attn_kv_b:
      case TensorKind::attn_output:
        corrections.push_back(BiasCorrection::half);
        break;
      case TensorKind::attn_qkv:  // a third of it is values
      case TensorKind::output:
        corrections.push_back(BiasCorrection::three_quarters);
        break;
      case TensorKind::token_embd:
        corrections.push_back(tied ? BiasCorrection::three_quarters : BiasCorrection::full);
        break;
      default:
        corrections.push_back(last >= 0 && layer_of(tensor.name) == last
                                  ? BiasCorrection::three_quarters
                                  : BiasCorrection::full);
    }
  }
  return corrections;
}

}  // namespace sluice::recipe
