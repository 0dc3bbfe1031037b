// DeepSeek V2, V2-Lite, V3, R1, V3.1, Kimi K2: attention over one latent vector for all heads.

#include "checkpoint/families/family.h"
#include "checkpoint/rope.h"

namespace sluice::checkpoint {
namespace {

/// Rows of a head are keys without rotation, then values. [H (nope + v), lora] becomes keys
/// transposed, [H, lora, nope], and values, [H, v, lora].
void keys_and_values(const Match& match, Draft& draft) {
  const Shape& shape = match.shape(2);
  const Config& config = match.config;
  const std::uint64_t width = shape[1];
  const std::uint64_t heads = key_head_count(config);
  const std::uint64_t keys = config.positive({"qk_nope_head_dim"});
  const std::uint64_t values = config.positive({"v_head_dim"});
  if (match.part(shape[0], heads) != keys + values) {
    refuse_tensor(match.stored.name, "its rows are not those of the heads in config.json");
  }
  const Axis head = {heads, (keys + values) * width};
  match.make(draft, "k", {heads, width, keys}, {match.view(0, {head, {width, 1}, {keys, width}})});
  match.make(draft, "v", {heads, values, width},
             {match.view(keys * width, {head, {values, width}, {width, 1}})});
}

void output_unless_tied(const Match& match, Draft& draft) {
  if (!match.config.find_truth({"tie_word_embeddings"}).value_or(false)) as_it_is(match, draft);
}

void describe_deepseek2(const Description& description) {
  const auto& [stored_config, layers, out, draft] = description;
  Config config = stored_config;
  config.set("num_key_value_heads", 1);  // the latent vector
  if (!config.has("rms_norm_eps")) config.set("rms_norm_eps", 1e-6);
  common_keys(config, layers, out);
  const bool has_experts = config.has("n_routed_experts");
  const std::uint64_t lora = config.find_whole({"kv_lora_rank"}).value_or(512);
  const std::uint64_t rotating = config.whole({"qk_rope_head_dim"});
  out.whole("leading_dense_block_count",
            config.find_whole({"first_k_dense_replace"}).value_or(has_experts ? 0 : layers));
  out.whole("vocab_size", config.whole({"vocab_size"}));
  out.whole("attention.q_lora_rank", config.find_whole({"q_lora_rank"}));
  out.whole("attention.kv_lora_rank", lora);
  out.whole("attention.key_length", lora + rotating);
  out.whole("attention.value_length", lora);
  out.whole("attention.key_length_mla", config.whole({"qk_nope_head_dim"}) + rotating);
  out.whole("attention.value_length_mla", config.whole({"v_head_dim"}));
  out.whole("expert_feed_forward_length",
            config.whole({"moe_intermediate_size", "intermediate_size"}));
  out.whole("expert_count", config.find_whole({"n_routed_experts"}));
  out.whole("expert_shared_count", config.find_whole({"n_shared_experts"}).value_or(0));
  out.number("expert_weights_scale", config.find_number({"routed_scaling_factor"}));
  if (config.find_truth({"norm_topk_prob"}) == true) out.truth("expert_weights_norm", true);
  out.whole("rope.dimension_count", rotating);
  if (const auto scale = rope_parameters(config).find_number({"mscale_all_dim"})) {
    out.number("rope.scaling.yarn_log_multiplier", 0.1 * *scale);
  }
}

}  // namespace

Family family_deepseek2() {
  return {
      .architecture = "deepseek2",
      .classes = {"DeepseekV2ForCausalLM", "DeepseekV3ForCausalLM",
                  "KimiVLForConditionalGeneration", "KimiK25ForConditionalGeneration"},
      .rules = {{"lm_head.*", "output.*", output_unless_tied},
                {"layers.N.self_attn.q_a_proj.*", "blk.N.attn_q_a.*", as_it_is},
                {"layers.N.self_attn.q_a_layernorm.*", "blk.N.attn_q_a_norm.*", as_it_is},
                {"layers.N.self_attn.q_b_proj.*", "blk.N.attn_q_b.*", as_it_is},
                {"layers.N.self_attn.kv_a_proj_with_mqa.*", "blk.N.attn_kv_a_mqa.*", as_it_is},
                {"layers.N.self_attn.kv_a_layernorm.*", "blk.N.attn_kv_a_norm.*", as_it_is},
                {"layers.N.self_attn.kv_b_proj.weight", "blk.N.attn_{}_b.weight", keys_and_values}},
      .describe = describe_deepseek2,
      .extra_layers = ExtraLayers::dropped};
}

}  // namespace sluice::checkpoint
