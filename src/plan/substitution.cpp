#include "plan/substitution.h"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <utility>

#include "sluice/amounts.h"

namespace sluice {

std::string substitution_text(const Plan& plan) {
  std::map<std::pair<TensorType, TensorType>, std::uint64_t> pairs;
  std::uint64_t tensors = 0;
  double substituted = 0;
  double weights = 0;
  double bits = 0;
  double bits_asked = 0;
  for (const PlannedTensor& tensor : plan.tensors) {
    const auto elements = static_cast<double>(tensor.elements());
    weights += elements;
    bits += elements * bits_per_weight(tensor.type);
    bits_asked += elements * bits_per_weight(tensor.asked);
    if (tensor.asked == tensor.type) continue;
    ++pairs[{tensor.asked, tensor.type}];
    ++tensors;
    substituted += elements;
  }
  if (tensors == 0) return {};
  std::string list;
  for (const auto& [types, count] : pairs) {
    list += fmt::format("{}{} becomes {} ({})", list.empty() ? "" : ", ", name(types.first),
                        name(types.second), count);
  }
  return fmt::format(
      "{} ({:.1f} % of the weights) with rows that the type asked for does not fit: {}; "
      "{:.3f} bits per weight instead of {:.3f}",
      counted(tensors, "tensor"), 100 * substituted / weights, list, bits / weights,
      bits_asked / weights);
}

}  // namespace sluice
