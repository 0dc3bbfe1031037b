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

constexpr float kFirstLayer = 1.1f;
constexpr float kLastLayer = 0.75f;
constexpr float kOutput = kLastLayer;
constexpr float kAttention = 0.5f;  // its values, and the matrix that follows them

/// Falls evenly over the layers. Where there is but one, it is the last.
float correction_of_layer(int layer, int last) noexcept {
  const float depth = layer < last ? static_cast<float>(layer) / static_cast<float>(last) : 1.0f;
  return kFirstLayer + (kLastLayer - kFirstLayer) * depth;
}

}  // namespace

std::vector<float> bias_corrections(std::span<const gguf::Tensor> tensors) {
  const int last = last_layer(tensors);
  const bool tied = std::ranges::none_of(
      tensors, [](const gguf::Tensor& t) { return kind_of(t.name) == TensorKind::output; });
  std::vector<float> corrections;
  for (const gguf::Tensor& tensor : tensors) {
    const int layer = layer_of(tensor.name);
    const float of_layer = layer < 0 ? 1.0f : correction_of_layer(layer, last);
    switch (kind_of(tensor.name)) {
      case TensorKind::attn_v:
      case TensorKind::attn_kv_b:
      case TensorKind::attn_output:
        corrections.push_back(kAttention);
        break;
      case TensorKind::attn_qkv:  // a third of it is values
        corrections.push_back((2 * of_layer + kAttention) / 3);
        break;
      case TensorKind::output:
        corrections.push_back(kOutput);
        break;
      case TensorKind::token_embd:
        corrections.push_back(tied ? kOutput : 1.0f);
        break;
      default:
        corrections.push_back(of_layer);
    }
  }
  return corrections;
}

}  // namespace sluice::recipe
