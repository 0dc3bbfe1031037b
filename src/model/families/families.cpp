#include "model/families/families.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"

namespace sluice::model {
namespace {

constexpr std::array kFamilies{
    Family{"bailingmoe2", describe_bailingmoe2},
    Family{"deepseek2", describe_deepseek2},
    Family{"dots1", describe_bailingmoe2},
    Family{"ernie4_5", describe_llama},
    Family{"ernie4_5-moe", describe_ernie4_5_moe},
    Family{"gemma2", describe_gemma2},
    Family{"gemma3", describe_gemma3},
    Family{"glm4", describe_glm4},
    Family{"glm4moe", describe_glm4moe},
    Family{"gpt-oss", describe_gpt_oss},
    Family{"llama", describe_llama},
    Family{"llama4", describe_llama4},
    Family{"mimo2", describe_mimo2},
    Family{"minimax-m2", describe_minimax_m2},
    Family{"mistral3", describe_mistral3},
    Family{"olmo2", describe_olmo2},
    Family{"phi3", describe_phi3},
    Family{"qwen2", describe_qwen2},
    Family{"qwen2moe", describe_qwen2moe},
    Family{"qwen3", describe_qwen3},
    Family{"qwen35", describe_qwen35},
    Family{"qwen35moe", describe_qwen35},
    Family{"qwen3moe", describe_qwen3moe},
    Family{"qwen3next", describe_qwen3next},
    Family{"seed_oss", describe_seed_oss},
    Family{"smollm3", describe_smollm3},
    Family{"step35", describe_step35},
};

std::string names_of_families() {
  std::string names;
  for (const Family& family : kFamilies) {
    if (!names.empty()) names += ", ";
    names += family.architecture;
  }
  return names;
}

}  // namespace

const Family& family_of(const Metadata& model) {
  const auto found = std::find_if(kFamilies.begin(), kFamilies.end(), [&](const Family& family) {
    return model.architecture() == family.architecture;
  });
  if (found != kFamilies.end()) return *found;
  throw model.error(ErrorCode::input_type,
                    fmt::format("models of the kind '{}' cannot be run, only {}",
                                printable(model.architecture()), names_of_families()));
}

}  // namespace sluice::model
