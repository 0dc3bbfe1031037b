#include "checkpoint/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "base/checked.h"
#include "base/text.h"
#include "sluice/error.h"

namespace sluice::checkpoint {
namespace {

constexpr std::size_t kMostExtents = 4;

/// The layer that a tensor's name tells, in GGUF's spelling.
std::optional<std::uint64_t> layer_of(std::string_view name) {
  constexpr std::string_view kBlock = "blk.";
  if (!name.starts_with(kBlock)) return std::nullopt;
  std::uint64_t layer = 0;
  std::from_chars(name.data() + kBlock.size(), name.data() + name.size(), layer);
  return layer;
}

/// Where a tensor stands: what the first layer needs, layers, what follows the last.
std::pair<std::uint64_t, std::uint64_t> rank(const std::string& name) {
  if (const auto layer = layer_of(name)) return {1, *layer};
  return {name.starts_with("output") ? 2 : 0, 0};
}

/// Whether the peers keep a tensor in F32 whatever the others are made.
bool must_be_f32(std::string_view name, const Shape& shape) {
  return shape.size() <= 1 || !name.ends_with(".weight") || name.ends_with("_norm.weight") ||
         name.find(".ffn_gate_inp") != name.npos || name.ends_with(".ssm_conv1d.weight");
}

/// Whether a view's rows are whole blocks of MXFP4, in their order.
bool keeps_blocks(const View& view) {
  const std::uint64_t block = info(TensorType::mxfp4).block_elements;
  if (view.axes.back().stride != 1 || view.axes.back().count % block != 0) return false;
  const auto whole = [&](const Axis& axis) { return axis.stride % block == 0; };
  return view.first % block == 0 && std::all_of(view.axes.begin(), view.axes.end() - 1, whole);
}

TensorType nearest_type_of(const Stored& stored) {
  if (stored.coding == Coding::mxfp4) return TensorType::mxfp4;
  if (stored.coding != Coding::typed || stored.scales) return TensorType::bf16;
  return stored.type == TensorType::f64 ? TensorType::f32 : stored.type;
}

}  // namespace

void refuse_tensor(const std::string& tensor, const std::string& message) {
  throw Error(ErrorCode::input_format, message,
              {.tensor = printable(tensor),
               .cure = "Compare config.json and the weights with the published ones; both must be "
                       "of one model"});
}

std::uint64_t elements_of(const Shape& shape, const std::string& tensor) {
  std::optional<std::uint64_t> product = 1;
  for (const std::uint64_t extent : shape) {
    if (extent == 0) refuse_tensor(tensor, "it is empty");
    if (product) product = checked_mul(*product, extent);
  }
  if (!product) refuse_tensor(tensor, "the number of its elements overflows");
  return *product;
}

void Draft::add(const std::string& name, Shape shape, std::vector<View> views, Change change) {
  const std::string& stored = stored_[views.front().stored].name;
  if (shape.empty()) shape = {1};
  if (shape.size() > kMostExtents) refuse_tensor(stored, "it has more than four extents");
  elements_of(shape, stored);
  const auto is_new =
      made_.emplace(name, Made{std::move(shape), {std::move(views), change, {}}}).second;
  if (!is_new || stacks_.contains(name)) {
    refuse_tensor(stored, fmt::format("another tensor is {} as well", name));
  }
}

void Draft::add_expert(const std::string& name, std::uint64_t expert, const Shape& shape,
                       View view) {
  const std::string& stored = stored_[view.stored].name;
  Stack& stack = stacks_[name];
  if (stack.views.empty()) stack.shape = shape;
  if (stack.shape != shape) refuse_tensor(stored, "other experts have another shape");
  if (!stack.views.emplace(expert, std::move(view)).second || made_.contains(name)) {
    refuse_tensor(stored, fmt::format("another tensor is expert {} of {} as well", expert, name));
  }
}

void Draft::add_values(const std::string& name, std::vector<float> values) {
  Made made{{values.size()}, {}};
  made.source.values = std::move(values);
  made_.emplace(name, std::move(made));
}

void Draft::stack(std::uint64_t experts) {
  for (auto& [name, stack] : std::exchange(stacks_, {})) {
    std::vector<View> views;
    for (auto& [expert, view] : stack.views) {
      if (expert != views.size()) break;
      views.push_back(std::move(view));
    }
    if (views.size() < experts) {
      refuse_tensor(name, fmt::format("expert {} of {} is missing", views.size(), experts));
    }
    if (stack.views.size() > experts) {
      refuse_tensor(name, fmt::format("there is an expert {}, and config.json knows {} only",
                                      stack.views.rbegin()->first, experts));
    }
    Shape shape = stack.shape;
    shape.insert(shape.begin(), experts);
    add(name, std::move(shape), std::move(views));
  }
}

void Draft::expect_layers(std::uint64_t layers) const {
  std::set<std::uint64_t> found;
  for (const auto& [name, made] : made_) {
    if (const auto layer = layer_of(name)) found.insert(*layer);
  }
  std::uint64_t next = 0;
  for (const std::uint64_t layer : found) {
    if (layer != next) break;
    ++next;
  }
  if (next < layers) {
    refuse_tensor(fmt::format("blk.{}", next),
                  fmt::format("nothing is there of layer {} of {}", next, layers));
  }
  for (const char* const needed : {"token_embd.weight", "output_norm.weight"}) {
    if (!made_.contains(needed)) refuse_tensor(needed, "no stored tensor is it");
  }
}

void Draft::expect_whole_experts() const {
  constexpr std::array<std::string_view, 3> kMatrices = {"gate", "up", "down"};
  for (const auto& [name, made] : made_) {
    for (const std::string_view matrix : kMatrices) {
      const std::string end = fmt::format("ffn_{}_exps.weight", matrix);
      if (!name.ends_with(end)) continue;
      for (const std::string_view other : kMatrices) {
        const std::string needed =
            fmt::format("{}ffn_{}_exps.weight", name.substr(0, name.size() - end.size()), other);
        if (!made_.contains(needed)) refuse_tensor(needed, "no stored tensor is it");
      }
    }
  }
}

TensorType Draft::nearest_type(const std::string& name, const Made& made) const {
  const std::vector<View>& views = made.source.views;
  if (views.empty() || must_be_f32(name, made.shape)) return TensorType::f32;
  const TensorType first = nearest_type_of(stored_[views.front().stored]);
  const auto is_other = [&](const View& view) {
    return nearest_type_of(stored_[view.stored]) != first;
  };
  if (std::ranges::any_of(views, is_other)) return TensorType::f32;
  if (first == TensorType::mxfp4 && !std::ranges::all_of(views, keeps_blocks)) {
    return TensorType::bf16;
  }
  return first;
}

void Draft::finish(std::uint64_t experts, std::uint64_t layers, Model& model) {
  stack(experts);
  expect_layers(layers);
  expect_whole_experts();
  std::vector<std::pair<const std::string, Made>*> order;
  for (auto& made : made_) order.push_back(&made);
  std::ranges::stable_sort(order, {}, [](const auto* made) { return rank(made->first); });
  for (auto* const made : order) {
    auto& [name, what] = *made;
    gguf::Tensor tensor{.name = name, .shape = {what.shape.rbegin(), what.shape.rend()}};
    tensor.type = nearest_type(name, what);
    model.header.tensors.push_back(std::move(tensor));
    model.weights.sources.push_back(std::move(what.source));
  }
  gguf::lay_out(model.header.tensors, model.header.alignment);
}

}  // namespace sluice::checkpoint
