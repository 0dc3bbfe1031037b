#include "model/attention.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "linear/functions.h"
#include "linear/products.h"

namespace sluice::model {
namespace {

class Attention final : public Part {
 public:
  explicit Attention(AttentionParts parts) : parts_(std::move(parts)) {}

  std::vector<std::string> tensors() const override;
  std::vector<std::vector<Input>> inputs() const override;
  Space space(const Tokens& tokens, int threads) const override;
  void run(const Run& run, const linear::Matrix& stream) const override;

 private:
  struct Open;

  AttentionParts parts_;
};

// Columns of what the input projections give: queries, gates, keys, values side by side.
struct Columns {
  std::size_t queries;
  std::size_t gates;
  std::size_t keys;
  std::size_t values;

  Columns(const Scores& scores, bool gated)
      : queries(scores.heads * scores.key_length),
        gates(gated ? queries : 0),
        keys(scores.key_heads * scores.key_length),
        values(scores.key_heads * scores.value_length) {}

  std::size_t asked() const { return queries + gates; }
  std::size_t all() const { return asked() + keys + values; }
};

std::vector<std::string> weights_of(const std::vector<Projection>& projections) {
  std::vector<std::string> names;
  for (const Projection& projection : projections) names.push_back(projection.weight);
  return names;
}

std::uint64_t gates_of(const AttentionParts& parts) {
  return parts.head_gate ? parts.head_gate->rows : 0;
}

void check(const Metadata& model, std::uint64_t layer, const Scores& scores, bool gated) {
  constexpr std::uint64_t kMost = 1 << 20;
  const auto sensible = [](std::uint64_t n) { return n > 0 && n <= kMost; };
  if (sensible(scores.heads) && sensible(scores.key_heads) && sensible(scores.key_length) &&
      sensible(scores.value_length) && scores.heads % scores.key_heads == 0 &&
      (!gated || scores.key_length == scores.value_length)) {
    return;
  }
  throw model.error(
      ErrorCode::input_format,
      fmt::format("layer {} cannot have {} heads of queries and {} of keys, of {} "
                  "numbers, with values of {}",
                  layer, scores.heads, scores.key_heads, scores.key_length, scores.value_length));
}

}  // namespace

// With its weights at hand.
struct Attention::Open {
  Open(const Run& with, const AttentionParts& of)
      : run(with),
        parts(of),
        frame(with, of.frame),
        output(with, of.output),
        query_norm(numbers_of(with, of.query_norm)),
        key_norm(numbers_of(with, of.key_norm)),
        sinks(numbers_of(with, of.sinks)) {
    for (const Projection& p : parts.inputs) inputs.emplace_back(with, p);
    if (parts.head_gate) head_gate.emplace(with, *parts.head_gate);
    if (parts.rope) turns.emplace(*parts.rope, with.weights, with.tokens.sequence_length);
  }

  void prepare_heads(float* heads, std::size_t count, const std::vector<float>& norm,
                     std::uint64_t position) const {
    const std::size_t length = parts.scores.key_length;
    for (std::size_t i = 0; !norm.empty() && i < count * length; i += norm.size()) {
      linear::rms_norm(heads + i, norm.data(), norm.size(), parts.norm_epsilon, heads + i,
                       run.settings.isa);
    }
    for (std::size_t h = 0; h < count; ++h) {
      float* const head = heads + h * length;
      if (turns) turns->turn(head, position);
      if (parts.norm_after_rope) {
        linear::rms_norm(head, nullptr, length, parts.norm_epsilon, head, run.settings.isa);
      }
    }
  }

  // Norms, positions and temperature.
  void prepare(const linear::Matrix& q, const linear::Matrix& k) const {
    for_rows(run.team, q.rows, [&](std::size_t t) {
      const std::uint64_t position = t % run.tokens.sequence_length;
      prepare_heads(q.row(t), parts.scores.heads, query_norm, position);
      prepare_heads(k.row(t), parts.scores.key_heads, key_norm, position);
      if (parts.temperature.scale == 0) return;
      const float warmth = parts.temperature.at(position);
      for (std::size_t i = 0; i < q.columns; ++i) q.row(t)[i] *= warmth;
    });
  }

  // \param gates  [tokens, heads], or a number for each of what is given
  void weigh(const linear::Matrix& gates, const linear::Matrix& given) const {
    const std::size_t of_gate = given.columns / gates.columns;
    for_rows(run.team, given.rows, [&](std::size_t t) {
      float* const row = gates.row(t);
      linear::sigmoid(row, gates.columns, run.settings.isa);
      for (std::size_t i = 0; i < given.columns; ++i) given.row(t)[i] *= row[i / of_gate];
    });
  }

  void scale_output(const linear::Matrix& x) const {
    if (parts.output_scale == 1) return;
    for_rows(run.team, x.rows, [&](std::size_t t) {
      for (std::size_t i = 0; i < x.columns; ++i) x.row(t)[i] *= parts.output_scale;
    });
  }

  // A head's query and its gate come side by side; queries go to the front, gates behind them.
  void part_gates(const linear::Matrix& asked) const {
    const std::size_t length = parts.scores.key_length;
    const std::size_t gates = asked.columns / 2;
    for_rows(run.team, asked.rows, [&](std::size_t t) {
      float* const row = asked.row(t);
      const std::vector<float> mixed(row, row + asked.columns);
      for (std::size_t h = 0; h < parts.scores.heads; ++h) {
        std::copy_n(&mixed[2 * h * length], length, row + h * length);
        std::copy_n(&mixed[(2 * h + 1) * length], length, row + gates + h * length);
      }
    });
  }

  void project(const linear::ConstMatrix& x, const linear::Matrix& joined,
               std::uint64_t first_token) const {
    std::size_t first = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::size_t rows = parts.inputs[i].rows;
      inputs[i].apply(x, columns_of(joined, first, rows), {.first = first_token});
      first += rows;
    }
  }

  const Run& run;
  const AttentionParts& parts;
  OpenFrame frame;
  std::vector<OpenProjection> inputs;
  OpenProjection output;
  std::optional<OpenProjection> head_gate;
  std::optional<Turns> turns;
  std::vector<float> query_norm;
  std::vector<float> key_norm;
  std::vector<float> sinks;
};

std::vector<std::string> Attention::tensors() const {
  std::vector<std::string> names = parts_.frame.tensors();
  for (const Projection& projection : parts_.inputs) append_tensors(projection, names);
  if (parts_.head_gate) append_tensors(*parts_.head_gate, names);
  append_tensors(parts_.output, names);
  for (const std::string* name : {&parts_.query_norm, &parts_.key_norm, &parts_.sinks}) {
    if (!name->empty()) names.push_back(*name);
  }
  if (parts_.rope) {
    for (const std::string* name : {&parts_.rope->factors, &parts_.rope->long_factors}) {
      if (!name->empty()) names.push_back(*name);
    }
  }
  return names;
}

std::vector<std::vector<Input>> Attention::inputs() const {
  std::vector<std::string> first = weights_of(parts_.inputs);
  if (parts_.head_gate) first.push_back(parts_.head_gate->weight);
  return {{{.tensors = std::move(first)}, {.tensors = {parts_.output.weight}}}};
}

Space Attention::space(const Tokens& tokens, int threads) const {
  const std::uint64_t length = tokens.sequence_length;
  const Columns columns(parts_.scores, parts_.gated);
  const std::uint64_t numbers =
      parts_.output.rows + columns.all() + parts_.output.columns + gates_of(parts_);
  const std::uint64_t of_worker =
      attention_bytes(length) + (parts_.gated ? columns.asked() * sizeof(float) : 0);
  const std::size_t deepest = std::max(parts_.output.columns, parts_.output.rows);
  return {.fixed = linear::multiply_bytes(deepest, threads) +
                   of_worker * static_cast<std::uint64_t>(threads) +
                   (parts_.rope ? Turns::bytes(*parts_.rope, length) : 0),
          .each = numbers * sizeof(float),
          .at_once = length};
}

void Attention::run(const Run& run, const linear::Matrix& stream) const {
  const Open open(run, parts_);
  const std::vector<Input> told = inputs().front();
  const Watched input(run, told[0]);
  const Watched inner(run, told[1]);
  const std::uint64_t at_once =
      space(run.tokens, run.team.threads()).tokens_within(run.settings, stream.rows);
  const Columns columns(parts_.scores, parts_.gated);
  const Buffer x_buffer(at_once, stream.columns);
  const Buffer joined_buffer(at_once, columns.all());
  const Buffer mixed_buffer(at_once, parts_.output.columns);
  const Buffer gates_buffer(at_once, gates_of(parts_));
  for_blocks(stream.rows, at_once, [&](std::uint64_t first, std::uint64_t count) {
    const linear::Matrix block = rows_of(stream, first, count);
    const linear::Matrix x = x_buffer.rows(count);
    const linear::Matrix joined = joined_buffer.rows(count);
    const linear::Matrix mixed = mixed_buffer.rows(count);
    open.frame.read(block, x);
    input.see(x, {.first = first});
    open.project(x, joined, first);
    const linear::Matrix q = columns_of(joined, 0, columns.queries);
    const linear::Matrix k = columns_of(joined, columns.asked(), columns.keys);
    const linear::Matrix v = columns_of(joined, columns.asked() + columns.keys, columns.values);
    if (parts_.gated) open.part_gates(columns_of(joined, 0, columns.asked()));
    open.prepare(q, k);
    attend(parts_.scores, run.tokens.sequence_length, q, k, v, open.sinks, mixed, run.settings.isa,
           run.team);
    if (parts_.gated) open.weigh(columns_of(joined, columns.queries, columns.gates), mixed);
    if (open.head_gate) {
      const linear::Matrix gates = gates_buffer.rows(count);
      open.head_gate->apply(x, gates, {.first = first});
      open.weigh(gates, mixed);
    }
    inner.see(mixed, {.first = first});
    open.output.apply(mixed, x, {.first = first});
    open.scale_output(x);
    open.frame.add(x, block);
  });
  input.finish();
  inner.finish();
}

AttentionParts attention_parts(const Metadata& model, std::uint64_t layer, const Frame& frame,
                               bool gated) {
  const std::uint64_t width = model.whole("embedding_length");
  const std::uint64_t heads = model.of_layer("attention.head_count", layer);
  const std::uint64_t usual = heads == 0 ? 0 : width / heads;
  const Scores scores{.heads = heads,
                      .key_heads = model.of_layer("attention.head_count_kv", layer, heads),
                      .key_length = model.whole("attention.key_length", usual),
                      .value_length = model.whole("attention.value_length", usual)};
  check(model, layer, scores, gated);
  const Columns columns(scores, gated);
  AttentionParts parts{.frame = frame,
                       .inputs = {},
                       .gated = gated,
                       .output = Projection::of(model, of_block(layer, "attn_output"), width,
                                                heads * scores.value_length),
                       .scores = scores,
                       .rope = {},
                       .norm_epsilon = frame.before.epsilon};
  parts.scores.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(scores.key_length)));
  const auto add = [&](const char* name, std::size_t rows) {
    parts.inputs.push_back(Projection::of(model, of_block(layer, name), rows, width));
  };
  if (model.has(of_block(layer, "attn_qkv.weight"))) {
    add("attn_qkv", columns.all());
  } else {
    add("attn_q", columns.asked());
    add("attn_k", columns.keys);
    add("attn_v", columns.values);
  }
  return parts;
}

void add_rope(const Metadata& model, bool neighbours, AttentionParts& parts) {
  parts.rope = rope_of(model, rope_choice(model, parts.scores.key_length, neighbours));
  add_factors(model, parts.rope->frequencies.size(), *parts.rope);
}

bool add_window(const Metadata& model, std::uint64_t layer, AttentionParts& parts,
                RopeChoice& choice) {
  if (!model.in_pattern("attention.sliding_window_pattern", layer, 0)) return false;
  parts.scores.reach = {Reach::Kind::window, model.whole("attention.sliding_window")};
  choice.base = model.number("rope.freq_base_swa", static_cast<float>(choice.base));
  return true;
}

void add_head_norms(const Metadata& model, std::uint64_t layer, AttentionParts& parts) {
  const std::uint64_t length = parts.scores.key_length;
  parts.query_norm = model.numbers(of_block(layer, "attn_q_norm.weight"), length);
  parts.key_norm = model.numbers(of_block(layer, "attn_k_norm.weight"), length);
}

void add_joint_norms(const Metadata& model, std::uint64_t layer, AttentionParts& parts) {
  const Scores& scores = parts.scores;
  parts.query_norm =
      model.numbers(of_block(layer, "attn_q_norm.weight"), scores.heads * scores.key_length);
  parts.key_norm =
      model.numbers(of_block(layer, "attn_k_norm.weight"), scores.key_heads * scores.key_length);
}

std::unique_ptr<Part> attention(AttentionParts parts) {
  return std::make_unique<Attention>(std::move(parts));
}

}  // namespace sluice::model
