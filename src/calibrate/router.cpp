#include "calibrate/router.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace sluice::calibrate {
namespace {

constexpr std::string_view kRouter = ".ffn_gate_inp.weight";

bool is_router_name(const std::string& tensor) {
  return tensor.ends_with(kRouter);
}

}  // namespace

bool is_router(const model::Input& input) {
  return std::ranges::any_of(input.tensors, is_router_name);
}

model::Input experts_of(const model::Input& router) {
  const std::string& name = *std::ranges::find_if(router.tensors, is_router_name);
  const std::string block = name.substr(0, name.size() - kRouter.size());
  return {.tensors = {block + ".ffn_gate_exps.weight", block + ".ffn_up_exps.weight",
                      block + ".ffn_gate_up_exps.weight"}};
}

}  // namespace sluice::calibrate
