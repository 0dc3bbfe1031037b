// gpt-oss, as published in MXFP4 and in 16 bits.

#include "checkpoint/families/family.h"

namespace sluice::checkpoint {
namespace {

/// Gates and ups by turns: rows of [E, 2 ff, n] in MXFP4, columns of [E, n, 2 ff] in 16 bits.
void gates_and_ups_by_turns(const Match& match, Draft& draft) {
  const Shape& shape = match.shape(3);
  const bool rows = match.has_blocks_along_rows();
  const std::uint64_t count = match.part(rows ? shape[1] : shape[2], 2);
  const std::uint64_t width = rows ? shape[2] : shape[1];
  const Axis matrix = {shape[0], shape[1] * shape[2]};
  for (const std::uint64_t up : {0, 1}) {
    match.make(draft, up == 0 ? "gate" : "up", {shape[0], count, width},
               {rows ? match.view(up * width, {matrix, {count, 2 * width}, {width, 1}})
                     : match.view(up, {matrix, {count, 2}, {width, 2 * count}})});
  }
}

void gate_and_up_biases(const Match& match, Draft& draft) {
  const Shape& shape = match.shape(2);
  const std::uint64_t count = match.part(shape[1], 2);
  for (const std::uint64_t up : {0, 1}) {
    match.make(draft, up == 0 ? "gate" : "up", {shape[0], count},
               {match.view(up, {{shape[0], shape[1]}, {count, 2}})});
  }
}

void describe_gpt_oss(const Description& description) {
  const auto& [config, layers, out, draft] = description;
  common_keys(config, layers, out);
  out.whole("attention.sliding_window", config.whole({"sliding_window"}));
  out.whole("expert_feed_forward_length", config.whole({"intermediate_size"}));
}

}  // namespace

Family family_gpt_oss() {
  return {
      .architecture = "gpt-oss",
      .classes = {"GptOssForCausalLM"},
      .rules = {{"layers.N.post_attention_layernorm.*", "blk.N.post_attention_norm.*", as_it_is},
                {"layers.N.self_attn.sinks", "blk.N.attn_sinks.weight", as_it_is},
                {"layers.N.mlp.experts.gate_up_proj", "blk.N.ffn_{}_exps.weight",
                 gates_and_ups_by_turns},
                {"layers.N.mlp.experts.down_proj", "blk.N.ffn_down_exps.weight", transposed},
                {"layers.N.mlp.experts.gate_up_proj_bias", "blk.N.ffn_{}_exps.bias",
                 gate_and_up_biases},
                {"layers.N.mlp.experts.down_proj_bias", "blk.N.ffn_down_exps.bias", as_it_is}},
      .describe = describe_gpt_oss};
}

}  // namespace sluice::checkpoint
