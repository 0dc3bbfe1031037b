#include "mix/tensor_items.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/checked.h"
#include "base/pattern.h"
#include "base/text.h"
#include "recipe/tensor_kind.h"
#include "sluice/error.h"

namespace sluice::mix {
namespace {

constexpr std::string_view kAllOthers = "*";

/// The index of the first pattern that is found in the name, or of none.
std::size_t first_match(const std::vector<std::optional<Pattern>>& patterns,
                        std::string_view name) {
  const auto found = std::ranges::find_if(patterns, [&](const std::optional<Pattern>& pattern) {
    return pattern && pattern->found_in(name);
  });
  return static_cast<std::size_t>(found - patterns.begin());
}

/// The tensors by item, items in the order of their first tensors.
std::vector<std::vector<std::size_t>> tied(std::span<const TensorChoice> tensors,
                                           std::span<const std::string> ties) {
  std::vector<std::optional<Pattern>> patterns;
  for (const std::string& tie : ties) patterns.emplace_back(Pattern(tie));
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::pair<int, std::size_t>, std::size_t> group_of;  // by layer and tie
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const int layer = recipe::layer_of(tensors[i].name);
    const std::size_t tie = first_match(patterns, tensors[i].name);
    std::size_t group = groups.size();
    if (layer >= 0 && tie < patterns.size() && tensors[i].types.size() > 1) {
      group = group_of.try_emplace({layer, tie}, group).first->second;
    }
    if (group == groups.size()) groups.emplace_back();
    groups[group].push_back(i);
  }
  return groups;
}

std::optional<std::size_t> index_of(const TensorChoice& tensor, TensorType type) {
  const auto found = std::ranges::find(tensor.types, type, &TypeCost::type);
  if (found == tensor.types.end()) return std::nullopt;
  return static_cast<std::size_t>(found - tensor.types.begin());
}

/// \throws Error (input_value) if the cost is none that can be compared
void check_cost(const TensorChoice& tensor, const TypeCost& cost) {
  if (std::isfinite(cost.divergence) && cost.divergence >= 0) return;
  throw Error(
      ErrorCode::input_value,
      fmt::format("what {} does to it was measured to be {}", name(cost.type), cost.divergence),
      {.tensor = tensor.name,
       .cure = "Look for weights that are not finite, or leave the type out with --types"});
}

/// \throws Error (usage) if what is tied cannot be one item
void check_tie(std::span<const TensorChoice> tensors, std::span<const std::size_t> places,
               std::span<const std::size_t> members, const Item& item) {
  const std::string& last = tensors[members.back()].name;
  if (item.candidates.empty()) {
    throw Error(ErrorCode::usage,
                fmt::format("is tied to {}, and there is no type that all that are tied can have",
                            printable(last)),
                {.tensor = item.name, .cure = "Change --tie, --at-least or --at-most"});
  }
  for (const std::size_t member : members) {
    if (places[member] == item.place) continue;
    throw Error(
        ErrorCode::usage,
        fmt::format("is tied to {}, which is in another place", printable(tensors[member].name)),
        {.tensor = item.name, .cure = "Change --tie or --target"});
  }
}

}  // namespace

std::vector<std::size_t> places_of(std::span<const TensorChoice> tensors,
                                   std::span<const PlaceTarget> places) {
  if (places.empty()) return std::vector<std::size_t>(tensors.size());
  std::vector<std::optional<Pattern>> patterns;
  std::size_t rest = places.size();
  for (const PlaceTarget& place : places) {
    patterns.emplace_back();
    if (place.pattern == kAllOthers) {
      rest = patterns.size() - 1;
    } else {
      patterns.back().emplace(place.pattern);
    }
  }
  std::vector<std::size_t> found;
  std::vector<bool> used(places.size());
  for (const TensorChoice& tensor : tensors) {
    std::size_t place = first_match(patterns, tensor.name);
    if (place == places.size()) place = rest;
    if (place == places.size()) {
      throw Error(ErrorCode::usage, "is in none of the places that there are targets for",
                  {.tensor = tensor.name, .cure = "Add one for all others: --target '*=SIZE'"});
    }
    used[place] = true;
    found.push_back(place);
  }
  const auto unused = std::ranges::find(used, false);
  if (unused != used.end()) {
    const PlaceTarget& place = places[static_cast<std::size_t>(unused - used.begin())];
    throw Error(ErrorCode::usage,
                fmt::format("no tensor is left for the target '{}'", printable(place.pattern)),
                {.cure = "Leave it out, or write the pattern so that it matches names of tensors, "
                         "and before others that match them too"});
  }
  return found;
}

TensorItems::TensorItems(std::span<const TensorChoice> tensors, std::span<const std::size_t> places,
                         std::span<const std::string> ties, std::uint64_t alignment)
    : members_(tied(tensors, ties)) {
  for (const std::vector<std::size_t>& members : members_) {
    Item& item = items_.emplace_back();
    const TensorChoice& first = tensors[members.front()];
    item.name = first.name;
    item.place = places[members.front()];
    types_.emplace_back();
    for (const TypeCost& type : first.types) {
      add_candidate(tensors, members, type.type, alignment);
    }
    check_tie(tensors, places, members, item);
  }
}

void TensorItems::add_candidate(std::span<const TensorChoice> tensors,
                                std::span<const std::size_t> members, TensorType type,
                                std::uint64_t alignment) {
  Candidate candidate;
  std::vector<std::size_t> indices;
  for (const std::size_t member : members) {
    const std::optional<std::size_t> index = index_of(tensors[member], type);
    if (!index) return;
    const TypeCost& cost = tensors[member].types[*index];
    check_cost(tensors[member], cost);
    candidate.bytes += align_up(cost.bytes, alignment);
    candidate.cost += cost.divergence;
    indices.push_back(*index);
  }
  items_.back().candidates.push_back(candidate);
  types_.back().push_back(std::move(indices));
}

std::vector<std::size_t> TensorItems::types_of(std::span<const std::size_t> candidates) const {
  std::size_t tensors = 0;
  for (const std::vector<std::size_t>& members : members_) tensors += members.size();
  std::vector<std::size_t> types(tensors);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    for (std::size_t k = 0; k < members_[i].size(); ++k) {
      types[members_[i][k]] = types_[i][candidates[i]][k];
    }
  }
  return types;
}

}  // namespace sluice::mix
