// ERNIE 4.5, dense.

#include "checkpoint/families/qwen.h"

namespace sluice::checkpoint {

Family family_ernie4_5() {
  return {.architecture = "ernie4_5",
          .classes = {"Ernie4_5ForCausalLM", "Ernie4_5_ForCausalLM"},
          .describe = describe_common};
}

}  // namespace sluice::checkpoint
