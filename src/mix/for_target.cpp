#include "mix/for_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/checked.h"
#include "base/text.h"
#include "mix/choose.h"
#include "mix/name_pattern.h"
#include "mix/tensor_items.h"
#include "sluice/error.h"

namespace sluice::mix {
namespace {

/// \throws Error (usage) if it is none, or more than one
void check_one_size(const MixTarget& target) {
  const int sizes = (target.size > 0) + (target.bpw > 0) + !target.places.empty();
  if (sizes == 1) return;
  throw Error(ErrorCode::usage, "an output has one size: --target-size, --target-bpw or --target",
              {.cure = "Pass one of them"});
}

std::vector<Budget> budgets_of(const MixTarget& target, const OutputFacts& output) {
  if (target.size > 0) return {{target.size, "the output"}};
  if (target.bpw > 0) {
    const double bytes = target.bpw * static_cast<double>(output.weights) / 8;
    return {{static_cast<std::uint64_t>(bytes),
             fmt::format("the output with {} bits a weight", target.bpw)}};
  }
  std::vector<Budget> budgets;
  for (const PlaceTarget& place : target.places) {
    budgets.push_back(
        {place.bytes, fmt::format("what is in the place '{}'", printable(place.pattern))});
  }
  return budgets;
}

/// Points that are far enough from each other to be seen apart.
std::vector<MixPoint> frontier_of(const std::vector<Item>& items, std::uint64_t more_bytes) {
  constexpr double kApart = 1.005;
  const std::vector<Point> points = frontier(items);
  std::vector<MixPoint> kept;
  for (const Point& point : points) {
    const MixPoint next{{}, point.bytes + more_bytes, std::max(0.0, point.cost)};
    const bool apart = kept.empty() || static_cast<double>(next.bytes) >=
                                           kApart * static_cast<double>(kept.back().bytes);
    if (apart || &point == &points.back()) kept.push_back(next);
  }
  return kept;
}

std::string exact_pattern(const std::string& name) {
  std::string pattern = "^";
  for (const char letter : name) pattern += pattern_of(letter);
  return pattern + "$";
}

/// The first that has the type as its own and blocks: for others rules do not count.
const FileType* file_type_of(Mix mix, TensorType type) {
  const auto found = std::ranges::find_if(file_types(), [&](const FileType& each) {
    return each.in(mix) && !each.copy && each.type == type && info(type).block_elements > 1;
  });
  return found == file_types().end() ? nullptr : &*found;
}

const FileType* main_file_type(Mix mix, std::span<const TensorChoice> tensors) {
  std::map<const FileType*, double> weights;
  for (const TensorChoice& tensor : tensors) {
    const TypeCost& type = tensor.types[tensor.chosen];
    if (const FileType* found = file_type_of(mix, type.type)) {
      weights[found] += static_cast<double>(type.bytes) / bits_per_weight(type.type);
    }
  }
  if (weights.empty()) return file_type_of(mix, TensorType::q8_0);
  return std::ranges::max_element(weights, {}, [](const auto& each) { return each.second; })->first;
}

}  // namespace

void choose_for(const MixTarget& target, const OutputFacts& output, MixChoice& choice) {
  check_one_size(target);
  const TensorItems tensors(choice.tensors, places_of(choice.tensors, target.places), target.ties,
                            output.alignment);
  std::vector<Item> items = tensors.items();
  if (target.size > 0) items.push_back({"header", {{output.header_bytes, 0}}});
  const Chosen chosen = choose(items, budgets_of(target, output));

  const std::vector<std::size_t> types = tensors.types_of(chosen.candidates);
  choice.bytes = output.header_bytes;
  choice.divergence = 0;
  for (std::size_t i = 0; i < types.size(); ++i) {
    TensorChoice& tensor = choice.tensors[i];
    tensor.chosen = types[i];
    choice.bytes += align_up(tensor.types[types[i]].bytes, output.alignment);
    choice.divergence += tensor.types[types[i]].divergence;
  }
  choice.frontier = frontier_of(tensors.items(), output.header_bytes);
}

RecipeOptions recipe_with(const RecipeOptions& options, std::span<const TensorChoice> tensors) {
  RecipeOptions recipe = options;
  recipe.file_type = main_file_type(options.mix, tensors);
  recipe.tensor_types.clear();
  for (const TensorChoice& tensor : tensors) {
    if (tensor.kept || !tensor.rule.empty()) continue;
    recipe.tensor_types.push_back({exact_pattern(tensor.name), tensor.types[tensor.chosen].type});
  }
  recipe.tensor_types.insert(recipe.tensor_types.end(), options.tensor_types.begin(),
                             options.tensor_types.end());
  return recipe;
}

}  // namespace sluice::mix
