// Qwen3.

#include "checkpoint/families/qwen.h"

namespace sluice::checkpoint {

Family family_qwen3() {
  return {.architecture = "qwen3",
          .classes = {"Qwen3ForCausalLM", "Qwen3Model"},
          .describe = describe_common};
}

}  // namespace sluice::checkpoint
