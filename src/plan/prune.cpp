#include "plan/prune.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>

#include "gguf/bytes.h"
#include "gguf/value_type.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice {
namespace {

// The number of a layer in a tensor's name, behind `blk.` there: `blk.7.attn_q.weight`,
// `enc.blk.7.attn_q.weight`.
struct LayerInName {
  std::size_t begin;
  std::size_t end;
  std::uint32_t layer;
};

std::optional<LayerInName> find_layer(std::string_view name) {
  constexpr std::string_view kBlock = "blk.";
  for (std::size_t at = 0; (at = name.find(kBlock, at)) != name.npos; ++at) {
    const std::size_t begin = at + kBlock.size();
    std::uint32_t layer = 0;
    const auto [end, error] =
        std::from_chars(name.data() + begin, name.data() + name.size(), layer);
    const auto after = static_cast<std::size_t>(end - name.data());
    if (error == std::errc() && after < name.size() && name[after] == '.') {
      return LayerInName{begin, after, layer};
    }
  }
  return std::nullopt;
}

std::string layers_key(const gguf::Header& model) {
  const gguf::Value* architecture = model.find("general.architecture");
  return architecture == nullptr ? std::string()
                                 : architecture->as_string().value_or("") + ".block_count";
}

std::uint64_t layers_of(const gguf::Header& model) {
  const gguf::Value* count = model.find(layers_key(model));
  const auto layers = count == nullptr ? std::nullopt : count->as_uint();
  if (!layers) {
    throw Error(ErrorCode::input_format, "the model does not tell how many layers it has",
                {.cure = "Leave out --prune-layers"});
  }
  return *layers;
}

// An array without the elements of some layers, which has one for each.
void remove_elements(std::span<const std::uint32_t> layers, std::uint64_t count,
                     gguf::Value& value) {
  constexpr std::size_t kHead = sizeof(std::uint32_t) + sizeof(std::uint64_t);
  if (value.type != gguf::ValueType::array || value.bytes.size() < kHead) return;
  const auto element = static_cast<gguf::ValueType>(load<std::uint32_t>(value.bytes.data()));
  const std::size_t size = gguf::fixed_size(element);
  const auto elements = load<std::uint64_t>(value.bytes.data() + sizeof(std::uint32_t));
  if (size == 0 || elements != count) return;
  std::vector<std::byte> rest;
  append(rest, static_cast<std::uint32_t>(element));
  append(rest, std::uint64_t{count - layers.size()});
  for (std::uint32_t i = 0; i < count; ++i) {
    if (std::ranges::binary_search(layers, i)) continue;
    append_bytes(rest, std::span(value.bytes).subspan(kHead + i * size, size));
  }
  value.bytes = std::move(rest);
}

}  // namespace

std::vector<std::size_t> prune_tensors(std::span<const std::uint32_t> layers, gguf::Header& model) {
  std::vector<std::size_t> kept(model.tensors.size());
  std::iota(kept.begin(), kept.end(), std::size_t{0});
  if (layers.empty()) return kept;
  const std::uint64_t count = layers_of(model);
  if (layers.back() >= count) {
    throw Error(ErrorCode::usage,
                fmt::format("layer {} cannot be pruned from a model of {}", layers.back(),
                            counted(count, "layer")),
                {.cure = count == 0 ? "Leave out --prune-layers"
                                    : fmt::format("Layers are counted from 0 to {}", count - 1)});
  }
  if (layers.size() == count) {
    throw Error(ErrorCode::usage, "all layers would be pruned", {.cure = "Leave some"});
  }
  std::erase_if(kept, [&](std::size_t i) {
    const auto found = find_layer(model.tensors[i].name);
    return found && std::ranges::binary_search(layers, found->layer);
  });
  std::vector<gguf::Tensor> tensors;
  tensors.reserve(kept.size());
  for (const std::size_t i : kept) {
    gguf::Tensor& tensor = tensors.emplace_back(std::move(model.tensors[i]));
    if (const auto found = find_layer(tensor.name)) {
      const auto before = std::ranges::lower_bound(layers, found->layer) - layers.begin();
      tensor.name.replace(found->begin, found->end - found->begin,
                          std::to_string(found->layer - before));
    }
  }
  model.tensors = std::move(tensors);
  return kept;
}

void prune_metadata(std::span<const std::uint32_t> layers, gguf::Header& model) {
  if (layers.empty()) return;
  const std::uint64_t count = layers_of(model);
  const std::string key = layers_key(model);
  const std::string prefix = key.substr(0, key.rfind('.') + 1);
  for (gguf::KeyValue& kv : model.metadata) {
    if (kv.key.starts_with(prefix)) remove_elements(layers, count, kv.value);
  }
  model.set(key, gguf::Value::of(static_cast<std::uint32_t>(count - layers.size())));
}

}  // namespace sluice
