// Qwen3-Next, without the block that guesses more tokens.

#include "checkpoint/families/qwen.h"
#include "checkpoint/rope.h"
#include "gguf/truth_array.h"

namespace sluice::checkpoint {
namespace {

/// Rows are grouped by key head: its queries, its keys, its values, and gates as many.
void queries_keys_values_gates(const Match& match, Draft& draft) {
  const Shape& shape = match.shape(2);
  const Config& config = match.config;
  const std::uint64_t columns = shape[1];
  const std::uint64_t heads = config.positive({"linear_num_key_heads"});
  const std::uint64_t keys = config.positive({"linear_key_head_dim"});
  const std::uint64_t values = config.positive({"linear_value_head_dim"}) *
                               match.part(config.whole({"linear_num_value_heads"}), heads);
  const std::uint64_t group = match.part(shape[0], heads);
  if (group != 2 * (keys + values)) {
    refuse_tensor(match.stored.name, "its rows are not those of the heads in config.json");
  }
  const auto rows = [&](std::uint64_t first, std::uint64_t count) {
    return match.view(first * columns, {{heads, group * columns}, {count, columns}, {columns, 1}});
  };
  draft.add(match.target + ".attn_qkv.weight", {heads * (2 * keys + values), columns},
            {rows(0, keys), rows(keys, keys), rows(2 * keys, values)});
  draft.add(match.target + ".attn_gate.weight", {heads * values, columns},
            {rows(2 * keys + values, values)});
}

/// [c, 1, k] as [c, k].
void without_middle(const Match& match, Draft& draft) {
  const Shape& shape = match.shape(3);
  if (shape[1] != 1) refuse_tensor(match.stored.name, "its middle extent is not 1");
  match.make(draft, "", {shape[0], shape[2]},
             {match.view(0, {{shape[0], shape[2]}, {shape[2], 1}})});
}

/// Which layers are delta nets, where config.json lists the layers.
void recurrent_layers(const Config& config, std::uint64_t layers, Metadata& out) {
  constexpr std::string_view kTypes = "layer_types";
  const auto types = config.find_texts(kTypes);
  if (!types) return;
  if (types->size() != layers) config.refuse(kTypes, "it does not list all layers");
  std::vector<std::uint8_t> recurrent;
  for (const std::string& type : *types) recurrent.push_back(type == "linear_attention");
  out.set("attention.recurrent_layers", gguf::truth_array(recurrent));
}

}  // namespace

void negative_exponential(const Match& match, Draft& draft) {
  Match changed = match;
  changed.change = Change::minus_exp;
  as_it_is(changed, draft);
}

void describe_qwen_hybrid(const Description& description) {
  describe_qwen_moe(description);
  const auto& [config, layers, out, draft] = description;
  const std::uint64_t value_heads = config.whole({"linear_num_value_heads"});
  out.whole("ssm.conv_kernel", config.whole({"linear_conv_kernel_dim"}));
  out.whole("ssm.state_size", config.whole({"linear_key_head_dim"}));
  out.whole("ssm.group_count", config.whole({"linear_num_key_heads"}));
  out.whole("ssm.time_step_rank", value_heads);
  out.whole("ssm.inner_size", config.whole({"linear_value_head_dim"}) * value_heads);
  recurrent_layers(config, layers, out);
  out.whole("full_attention_interval", config.find_whole({"full_attention_interval"}).value_or(4));
  out.whole("rope.dimension_count", rotating_part(config, 0.25));
}

bool is_hybrid_norm(std::string_view stored) {
  return stored.ends_with("norm.weight") && !stored.ends_with("linear_attn.norm.weight");
}

std::vector<Rule> hybrid_rules() {
  std::vector<Rule> rules = stacked_expert_rules();
  rules.push_back({"layers.N.post_attention_layernorm.*", "blk.N.post_attention_norm.*", as_it_is});
  rules.push_back({"layers.N.linear_attn.norm.*", "blk.N.ssm_norm.*", as_it_is});
  return rules;
}

Family family_qwen3next() {
  std::vector<Rule> rules = hybrid_rules();
  for (const Rule& rule : std::initializer_list<Rule>{
           {"layers.N.linear_attn.A_log", "blk.N.ssm_a", negative_exponential},
           {"layers.N.linear_attn.dt_bias", "blk.N.ssm_dt.bias", as_it_is},
           {"layers.N.linear_attn.conv1d.weight", "blk.N.ssm_conv1d.weight", without_middle},
           {"layers.N.linear_attn.out_proj.*", "blk.N.ssm_out.*", as_it_is},
           {"layers.N.linear_attn.in_proj_ba.*", "blk.N.ssm_ba.*", as_it_is},
           {"layers.N.linear_attn.in_proj_qkvz.weight", "blk.N", queries_keys_values_gates}}) {
    rules.push_back(rule);
  }
  return {.architecture = "qwen3next",
          .classes = {"Qwen3NextForCausalLM"},
          .rules = std::move(rules),
          .describe = describe_qwen_hybrid,
          .less_one = is_hybrid_norm,
          .dropped_prefix = "mtp."};
}

}  // namespace sluice::checkpoint
