#include "tensor_groups.h"

#include <charconv>

namespace sluice::cli {
namespace {

// No model has as many; a number beyond that is a part of the name, not a layer.
constexpr std::uint32_t kMostLayers = 1000;

TensorGroup group_of(std::string_view kind) {
  const auto has = [&](std::string_view part) { return kind.find(part) != std::string_view::npos; };
  if (kind == "token_embd" || kind == "output" || kind == "per_layer_token_embd") {
    return TensorGroup::ends;
  }
  if (has("norm")) return TensorGroup::other;
  if (has("shexp")) return TensorGroup::shared_experts;
  if (has("_exps")) return TensorGroup::experts;
  if (kind.starts_with("ffn_")) return TensorGroup::feed_forward;
  if (kind.starts_with("attn_")) return TensorGroup::attention;
  return TensorGroup::other;
}

}  // namespace

std::string_view name(TensorGroup group) noexcept {
  switch (group) {
    case TensorGroup::attention:
      return "attention";
    case TensorGroup::feed_forward:
      return "feed-forward";
    case TensorGroup::experts:
      return "experts";
    case TensorGroup::shared_experts:
      return "shared experts";
    case TensorGroup::ends:
      return "embedding and output";
    case TensorGroup::other:
      return "other";
  }
  return "other";
}

TensorPlace place_of(const std::string& tensor) {
  std::string_view rest = tensor;
  TensorPlace place;
  if (rest.starts_with("blk.")) {
    const std::string_view numbered = rest.substr(4);
    std::uint32_t layer = 0;
    const auto [end, error] =
        std::from_chars(numbered.data(), numbered.data() + numbered.size(), layer);
    if (error == std::errc() && layer < kMostLayers && end != numbered.data() + numbered.size() &&
        *end == '.') {
      place.layer = layer;
      rest = numbered.substr(static_cast<std::size_t>(end - numbered.data()) + 1);
    }
  }
  constexpr std::string_view kWeight = ".weight";
  if (rest.ends_with(kWeight)) rest.remove_suffix(kWeight.size());
  place.kind = rest;
  place.group = group_of(rest);
  return place;
}

}  // namespace sluice::cli
