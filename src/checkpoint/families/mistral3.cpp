// Mistral Small 3.x, Ministral 3.

#include "checkpoint/families/llama.h"
#include "checkpoint/rope.h"

namespace sluice::checkpoint {
namespace {

void describe_mistral3(const Description& description) {
  describe_llama(description);
  const Config& config = description.config;
  const std::string type = config.find_text({"model_type"}).value_or("");
  if (type == "mistral4") config.refuse("model_type", "sluice does not read Mistral 4");
  if (type != "ministral3") return;
  const Config rope = rope_parameters(config);
  if (rope.find_text({"rope_type"}) != "yarn") {
    rope.refuse("rope_type", "expected is yarn");
  }
  description.out.number("rope.scaling.yarn_log_multiplier", rope.number({"mscale_all_dim"}));
  description.out.number("attention.temperature_scale", rope.number({"llama_4_scaling_beta"}));
}

}  // namespace

Family family_mistral3() {
  return {.architecture = "mistral3",
          .classes = {"Mistral3ForConditionalGeneration", "Ministral3ForCausalLM"},
          .rules = rotary_rules(),
          .describe = describe_mistral3};
}

}  // namespace sluice::checkpoint
