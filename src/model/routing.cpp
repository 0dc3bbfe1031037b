#include "model/routing.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "linear/functions.h"

namespace sluice::model {
namespace {

// What llama.cpp divides by at least.
constexpr float kLeastSum = 6.103515625e-5F;

// Numbers of llama.cpp's expert_gating_func.
Routing::Gate gate_of(const Metadata& model) {
  switch (const std::uint64_t number = model.whole("expert_gating_func", 1)) {
    case 0:
    case 1:
      return Routing::Gate::softmax;
    case 2:
      return Routing::Gate::sigmoid;
    case 3:
      return Routing::Gate::softmax_of_chosen;
    default:
      throw model.error(ErrorCode::input_format,
                        fmt::format("expert_gating_func is {}, which is not known", number));
  }
}

// Numbers of the greatest values, the greatest first.
std::vector<std::uint32_t> best(std::span<const float> values, std::size_t count) {
  std::vector<std::uint32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(order.begin(), end, order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return values[a] != values[b] ? values[a] > values[b] : a < b;
  });
  order.erase(end, order.end());
  return order;
}

// Experts of the other groups cannot be chosen.
void leave_groups(const Routing& routing, std::span<float> gates) {
  const std::size_t size = routing.experts / routing.groups;
  std::vector<float> together(routing.groups);
  for (std::size_t g = 0; g < routing.groups; ++g) {
    const std::span<const float> group = gates.subspan(g * size, size);
    for (const std::uint32_t i : best(group, std::min<std::size_t>(2, size)))
      together[g] += group[i];
  }
  std::vector<bool> stays(routing.groups);
  for (const std::uint32_t g : best(together, routing.chosen_groups)) stays[g] = true;
  for (std::size_t i = 0; i < gates.size(); ++i) {
    if (!stays[i / size]) gates[i] = -std::numeric_limits<float>::infinity();
  }
}

void weigh(const Routing& routing, std::span<const float> gates, Isa isa, std::span<Choice> out) {
  std::vector<float> weights;
  for (const Choice& choice : out) weights.push_back(gates[choice.expert]);
  if (routing.gate == Routing::Gate::softmax_of_chosen) {
    linear::softmax(weights.data(), weights.size(), nullptr, isa);
  }
  float divisor = 1;
  if (routing.shares) {
    divisor = std::max(std::accumulate(weights.begin(), weights.end(), 0.0F), kLeastSum);
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].weight = weights[i] / divisor * routing.scale;
  }
}

}  // namespace

Routing routing_of(const Metadata& model) {
  Routing routing{.gate = gate_of(model),
                  .experts = model.whole("expert_count"),
                  .chosen = model.whole("expert_used_count"),
                  .groups = model.whole("expert_group_count", 1),
                  .chosen_groups = model.whole("expert_group_used_count", 1),
                  .shares = model.flag("expert_weights_norm", false),
                  .scale = model.number("expert_weights_scale", 1)};
  if (routing.groups == 0) routing.groups = 1;
  if (routing.scale == 0) routing.scale = 1;
  const std::uint64_t size = routing.experts / routing.groups;
  if (routing.chosen == 0 || routing.experts % routing.groups != 0 ||
      (routing.groups > 1 &&
       (routing.chosen_groups == 0 || routing.chosen_groups > routing.groups)) ||
      routing.chosen > size * (routing.groups > 1 ? routing.chosen_groups : 1)) {
    throw model.error(ErrorCode::input_format,
                      fmt::format("{} of {} experts in {} groups cannot be chosen", routing.chosen,
                                  routing.experts, routing.groups));
  }
  return routing;
}

void route(const Routing& routing, std::span<float> scores, std::span<const float> bias, Isa isa,
           std::span<Choice> out) {
  if (routing.gate == Routing::Gate::softmax) {
    linear::softmax(scores.data(), scores.size(), nullptr, isa);
  }
  if (routing.gate == Routing::Gate::sigmoid) linear::sigmoid(scores.data(), scores.size(), isa);
  std::vector<float> gates(scores.begin(), scores.end());
  for (std::size_t i = 0; i < bias.size(); ++i) gates[i] += bias[i];
  if (routing.groups > 1) leave_groups(routing, gates);
  const std::vector<std::uint32_t> chosen = best(gates, out.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i].expert = chosen[i];
  weigh(routing, scores, isa, out);
}

Routes::Routes(const Routing& routing, std::span<const Choice> choices)
    : first_(routing.experts + 1), sent_(choices.size()) {
  for (const Choice& choice : choices) ++first_[choice.expert + 1];
  std::partial_sum(first_.begin(), first_.end(), first_.begin());
  std::vector<std::size_t> next(first_.begin(), first_.end() - 1);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    sent_[next[choices[i].expert]++] = {static_cast<std::uint32_t>(i / routing.chosen),
                                        choices[i].weight};
  }
}

std::span<const Sent> Routes::to(std::size_t expert) const {
  return std::span(sent_).subspan(first_[expert], first_[expert + 1] - first_[expert]);
}

}  // namespace sluice::model
