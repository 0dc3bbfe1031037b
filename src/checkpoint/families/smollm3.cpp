// SmolLM3.

#include "checkpoint/families/llama.h"

namespace sluice::checkpoint {
namespace {

void describe_smollm3(const Description& description) {
  const Config& config = description.config;
  // GGUF cannot say which layers know no positions; programs that run it take every fourth.
  if (config.find_whole({"no_rope_layer_interval"}).value_or(4) != 4) {
    config.refuse("no_rope_layer_interval", "expected is 4, as GGUF knows no other");
  }
  describe_llama(description);
}

}  // namespace

Family family_smollm3() {
  return {.architecture = "smollm3",
          .classes = {"SmolLM3ForCausalLM"},
          .rules = rotary_rules(),
          .describe = describe_smollm3};
}

}  // namespace sluice::checkpoint
