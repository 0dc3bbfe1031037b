// Seed-OSS.

#include "checkpoint/families/qwen.h"

namespace sluice::checkpoint {

Family family_seed_oss() {
  return {
      .architecture = "seed_oss",
      .classes = {"SeedOssForCausalLM"},
      .rules = {{"layers.N.post_attention_layernorm.*", "blk.N.post_attention_norm.*", as_it_is}},
      .describe = describe_common};
}

}  // namespace sluice::checkpoint
