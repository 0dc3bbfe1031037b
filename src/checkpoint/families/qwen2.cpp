// Qwen2 and 2.5.

#include "checkpoint/families/qwen.h"

namespace sluice::checkpoint {

void describe_common(const Description& description) {
  common_keys(description.config, description.layers, description.out);
}

Family family_qwen2() {
  return {.architecture = "qwen2",
          .classes = {"Qwen2ForCausalLM", "Qwen2Model"},
          .describe = describe_common};
}

}  // namespace sluice::checkpoint
