#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "plan/plan.h"
#include "sluice/gguf.h"

namespace sluice::calibrate {

/// A plan's tensors by their names in the model, which a network speaks of: in the output of a pruned
/// model they may have others.
class TensorIndex {
 public:
  TensorIndex() = default;
  TensorIndex(const Plan& plan, const gguf::Header& model) {
    for (std::uint32_t i = 0; i < plan.tensors.size(); ++i) {
      indices_.emplace(model.tensors[plan.tensors[i].model_tensor].name, i);
    }
  }

  /// The index in the plan; none: the output has no such tensor.
  std::optional<std::uint32_t> find(std::string_view name) const {
    const auto found = indices_.find(name);
    return found == indices_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::map<std::string, std::uint32_t, std::less<>> indices_;
};

}  // namespace sluice::calibrate
