// Qwen 3.5 and 3.6 with experts.

#include "checkpoint/families/qwen.h"

namespace sluice::checkpoint {

Family family_qwen35moe() {
  return {.architecture = "qwen35moe",
          .classes = {"Qwen3_5MoeForConditionalGeneration", "Qwen3_5MoeForCausalLM"},
          .rules = qwen35_rules(),
          .describe = describe_qwen35,
          .less_one = is_hybrid_norm,
          .dropped_prefix = "mtp."};
}

}  // namespace sluice::checkpoint
