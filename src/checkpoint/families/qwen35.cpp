// Qwen 3.5 and 3.6, without the block that guesses more tokens. Heads of values that share a head of keys
// are neighbours in checkpoints; in GGUF they are as many heads apart as there are of keys.

#include <array>

#include "checkpoint/families/qwen.h"
#include "checkpoint/rope.h"

namespace sluice::checkpoint {
namespace {

/// Heads of values.
struct ValueHeads {
  std::uint64_t groups;  ///< as many as heads of keys
  std::uint64_t shared;  ///< in each group
  std::uint64_t length;

  explicit ValueHeads(const Match& match)
      : groups(match.config.positive({"linear_num_key_heads"})),
        shared(match.part(match.config.whole({"linear_num_value_heads"}), groups)),
        length(match.config.positive({"linear_value_head_dim"})) {}

  std::uint64_t numbers() const { return groups * shared * length; }
};

void expect_extent(const Match& match, std::uint64_t extent, std::uint64_t expected) {
  if (extent != expected) {
    refuse_tensor(match.stored.name, "its extents are not those of the heads in config.json");
  }
}

/// Steps through heads of so many elements in GGUF's order; what is within a head follows.
std::vector<Axis> head_axes(const ValueHeads& heads, std::uint64_t elements) {
  return {{heads.shared, elements}, {heads.groups, heads.shared * elements}};
}

/// Rows of value heads, of so many elements each, from the element `first` on.
View rows_of_heads(const Match& match, const ValueHeads& heads, std::uint64_t first,
                   std::uint64_t rows, std::uint64_t columns) {
  std::vector<Axis> axes = head_axes(heads, rows * columns);
  axes.push_back({rows, columns});
  axes.push_back({columns, 1});
  return match.view(first, std::move(axes));
}

/// Rows of queries and keys, which stay, and then of values.
void queries_keys_values(const Match& match, Draft& draft) {
  const ValueHeads heads(match);
  const Shape& shape = match.stored.shape;
  if (shape.size() != 2) match.shape(3);  // [rows, 1, columns]
  const std::uint64_t columns = match.stored.columns();
  const std::uint64_t others = 2 * heads.groups * match.config.positive({"linear_key_head_dim"});
  expect_extent(match, shape[0], others + heads.numbers());
  expect_extent(match, match.stored.elements(), shape[0] * columns);
  match.make(draft, "", {shape[0], columns},
             {match.view(0, {{others, columns}, {columns, 1}}),
              rows_of_heads(match, heads, others * columns, heads.length, columns)});
}

void values(const Match& match, Draft& draft) {
  const ValueHeads heads(match);
  const Shape& shape = match.shape(2);
  expect_extent(match, shape[0], heads.numbers());
  match.make(draft, "", shape, {rows_of_heads(match, heads, 0, heads.length, shape[1])});
}

/// A row for each head.
void rates(const Match& match, Draft& draft) {
  const ValueHeads heads(match);
  const Shape& shape = match.shape(2);
  expect_extent(match, shape[0], heads.groups * heads.shared);
  match.make(draft, "", shape, {rows_of_heads(match, heads, 0, 1, shape[1])});
}

/// A number for each head.
void numbers(const Match& match, Draft& draft) {
  const ValueHeads heads(match);
  const Shape& shape = match.shape(1);
  expect_extent(match, shape[0], heads.groups * heads.shared);
  match.make(draft, "", shape, {match.view(0, head_axes(heads, 1))});
}

void fading(const Match& match, Draft& draft) {
  Match changed = match;
  changed.change = Change::minus_exp;
  numbers(changed, draft);
}

/// Columns of value heads.
void columns_of_values(const Match& match, Draft& draft) {
  const ValueHeads heads(match);
  const Shape& shape = match.shape(2);
  expect_extent(match, shape[1], heads.numbers());
  std::vector<Axis> axes = {{shape[0], shape[1]}};
  for (const Axis& axis : head_axes(heads, heads.length)) axes.push_back(axis);
  axes.push_back({heads.length, 1});
  match.make(draft, "", shape, {match.view(0, std::move(axes))});
}

}  // namespace

void describe_qwen35(const Description& description) {
  describe_qwen_hybrid(description);
  // What its class has where config.json does not say it: pairs of a head that turn with time, height
  // and width of an image.
  constexpr std::array<std::int32_t, 4> kSections = {11, 11, 10, 0};
  if (rope_parameters(description.config).has("mrope_section")) return;
  description.out.set("rope.dimension_sections", gguf::Value::of_ints(kSections));
}

std::vector<Rule> qwen35_rules() {
  std::vector<Rule> rules = hybrid_rules();
  for (const Rule& rule : std::initializer_list<Rule>{
           {"layers.N.linear_attn.A_log", "blk.N.ssm_a", fading},
           {"layers.N.linear_attn.dt_bias", "blk.N.ssm_dt.bias", numbers},
           {"layers.N.linear_attn.conv1d.weight", "blk.N.ssm_conv1d.weight", queries_keys_values},
           {"layers.N.linear_attn.out_proj.weight", "blk.N.ssm_out.weight", columns_of_values},
           {"layers.N.linear_attn.in_proj_qkv.weight", "blk.N.attn_qkv.weight",
            queries_keys_values},
           {"layers.N.linear_attn.in_proj_z.weight", "blk.N.attn_gate.weight", values},
           {"layers.N.linear_attn.in_proj_b.weight", "blk.N.ssm_beta.weight", rates},
           {"layers.N.linear_attn.in_proj_a.weight", "blk.N.ssm_alpha.weight", rates}}) {
    rules.push_back(rule);
  }
  return rules;
}

Family family_qwen35() {
  return {.architecture = "qwen35",
          .classes = {"Qwen3_5ForConditionalGeneration", "Qwen3_5ForCausalLM"},
          .rules = qwen35_rules(),
          .describe = describe_qwen35,
          .less_one = is_hybrid_norm,
          .dropped_prefix = "mtp."};
}

}  // namespace sluice::checkpoint
