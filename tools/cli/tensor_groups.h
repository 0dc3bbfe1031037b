#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::cli {

/// What tensors do in a model, as pictures tell them apart.
enum class TensorGroup { attention, feed_forward, experts, shared_experts, ends, other };

/// "attention", "feed-forward", "experts", "shared experts", "embedding and output", "other".
std::string_view name(TensorGroup group) noexcept;

inline constexpr int kTensorGroups = 6;

/// A tensor's place in its model, read off its name.
struct TensorPlace {
  std::string kind;  ///< `attn_q`, `ffn_down_exps`: the name without layer and `.weight`
  TensorGroup group = TensorGroup::other;
  std::optional<std::uint32_t> layer;  ///< none: outside the layers
};

TensorPlace place_of(const std::string& tensor);

}  // namespace sluice::cli
