// Qwen3's mixtures of experts.

#include "checkpoint/families/qwen.h"

namespace sluice::checkpoint {

Family family_qwen3moe() {
  return {.architecture = "qwen3moe",
          .classes = {"Qwen3MoeForCausalLM"},
          .rules = stacked_expert_rules(),
          .describe = describe_qwen_moe};
}

}  // namespace sluice::checkpoint
