#include <vector>

#include "checkpoint/families/family.h"

// The list of families. Each is one word here and one file, which defines family_<word>().
#define SLUICE_FAMILIES(FAMILY) \
  FAMILY(bailingmoe2)           \
  FAMILY(deepseek2)             \
  FAMILY(dots1)                 \
  FAMILY(ernie4_5)              \
  FAMILY(ernie4_5_moe)          \
  FAMILY(gemma2)                \
  FAMILY(gemma3)                \
  FAMILY(glm4)                  \
  FAMILY(glm4moe)               \
  FAMILY(gpt_oss)               \
  FAMILY(llama)                 \
  FAMILY(llama4)                \
  FAMILY(mimo2)                 \
  FAMILY(minimax_m2)            \
  FAMILY(mistral3)              \
  FAMILY(olmo2)                 \
  FAMILY(phi3)                  \
  FAMILY(qwen2)                 \
  FAMILY(qwen2moe)              \
  FAMILY(qwen3)                 \
  FAMILY(qwen35)                \
  FAMILY(qwen35moe)             \
  FAMILY(qwen3moe)              \
  FAMILY(qwen3next)             \
  FAMILY(seed_oss)              \
  FAMILY(smollm3)               \
  FAMILY(step35)

namespace sluice::checkpoint {

#define SLUICE_DECLARE(name) Family family_##name();
SLUICE_FAMILIES(SLUICE_DECLARE)
#undef SLUICE_DECLARE

std::span<const Family> families() {
#define SLUICE_CALL(name) family_##name(),
  static const std::vector<Family> kFamilies = {SLUICE_FAMILIES(SLUICE_CALL)};
#undef SLUICE_CALL
  return kFamilies;
}

}  // namespace sluice::checkpoint
