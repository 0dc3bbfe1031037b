#include "calibrate/input_load.h"

#include <string>

namespace sluice::calibrate {

double share_of_experts(const gguf::Header& model) {
  const gguf::Value* const name = model.find("general.architecture");
  const std::string prefix =
      std::string(name == nullptr ? "" : name->as_string().value_or("")) + ".";
  const auto number = [&](const std::string& key) {
    const gguf::Value* const value = model.find(prefix + key);
    return value == nullptr ? 0.0 : static_cast<double>(value->as_uint().value_or(0));
  };
  const double all = number("expert_count");
  return all > 0 ? number("expert_used_count") / all : 1;
}

bool is_of_experts(std::string_view tensor) noexcept {
  return tensor.find("_exps.") != std::string_view::npos;
}

InputLoad::InputLoad(const model::Input& input, double experts) {
  if (!is_of_experts(input.tensors.front())) return;
  matrices = static_cast<double>(input.matrices);
  share = experts;
}

}  // namespace sluice::calibrate
