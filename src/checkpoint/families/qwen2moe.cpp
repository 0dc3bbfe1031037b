// Qwen2's mixtures of experts (Qwen1.5-MoE among them).

#include <fmt/format.h>

#include "checkpoint/families/qwen.h"

namespace sluice::checkpoint {
namespace {

/// Chooses by the shape, as some writers store an expert's matrices transposed. Square ones are
/// taken as Qwen's own writer has them.
void by_shape(const Match& match, Draft& draft, std::uint64_t rows, std::uint64_t columns,
              Transform upright, Transform turned) {
  const Shape& shape = match.shape(3);
  if (shape[1] == rows && shape[2] == columns) {
    upright(match, draft);
  } else if (shape[1] == columns && shape[2] == rows) {
    turned(match, draft);
  } else {
    refuse_tensor(match.stored.name, fmt::format("it is of {} x {}, and expected is {} x {}",
                                                 shape[1], shape[2], rows, columns));
  }
}

std::uint64_t expert_width(const Match& match) {
  return match.config.positive({"moe_intermediate_size"});
}

void gates_and_ups(const Match& match, Draft& draft) {
  by_shape(match, draft, 2 * expert_width(match), match.config.positive({"hidden_size"}),
           gate_and_up_rows, gate_and_up_columns);
}

void downs(const Match& match, Draft& draft) {
  by_shape(match, draft, match.config.positive({"hidden_size"}), expert_width(match), as_it_is,
           transposed);
}

}  // namespace

void describe_qwen_moe(const Description& description) {
  describe_common(description);
  const Config& config = description.config;
  description.out.whole("expert_feed_forward_length", config.find_whole({"moe_intermediate_size"}));
  description.out.whole("expert_shared_feed_forward_length",
                        config.find_whole({"shared_expert_intermediate_size"}));
}

std::vector<Rule> stacked_expert_rules() {
  return {{"layers.N.mlp.experts.gate_up_proj", "blk.N.ffn_{}_exps.weight", gates_and_ups},
          {"layers.N.mlp.experts.gate_up_proj.*", "blk.N.ffn_{}_exps.*", gates_and_ups},
          {"layers.N.mlp.experts.down_proj", "blk.N.ffn_down_exps.weight", downs},
          {"layers.N.mlp.experts.down_proj.*", "blk.N.ffn_down_exps.*", downs}};
}

Family family_qwen2moe() {
  return {.architecture = "qwen2moe",
          .classes = {"Qwen2MoeForCausalLM"},
          .rules = stacked_expert_rules(),
          .describe = describe_qwen_moe};
}

}  // namespace sluice::checkpoint
