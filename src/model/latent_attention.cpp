#include "model/latent_attention.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "linear/functions.h"
#include "linear/products.h"
#include "model/latent_heads.h"

namespace sluice::model {
namespace {

class LatentAttention final : public Part {
 public:
  explicit LatentAttention(LatentParts parts) : parts_(std::move(parts)), lengths_(parts_) {}

  std::vector<std::string> tensors() const override;
  std::vector<std::vector<Input>> inputs() const override;
  Space space(const Tokens& tokens, int threads) const override;
  void run(const Run& run, const linear::Matrix& stream) const override;

 private:
  struct Open;
  struct Buffers;

  LatentParts parts_;
  LatentLengths lengths_;
};

Input input_of(const LatentParts& parts) {
  const Projection& query = parts.query_latent ? *parts.query_latent : parts.query;
  return {.tensors = {query.weight, parts.latent.weight}};
}

}  // namespace

struct LatentAttention::Buffers {
  Buffer x;
  Buffer few;  // numbers that queries are made of
  Buffer query;
  Buffer key;    // the shared numbers, and the part that knows positions
  Buffer wide;   // one head's queries, as keys are
  Buffer mixed;  // shared numbers as one head weighs them
  Buffer values;

  Buffers(const LatentParts& parts, const LatentLengths& n, std::size_t tokens)
      : x(tokens, parts.output.rows),
        few(tokens, n.few),
        query(tokens, n.heads * n.query()),
        key(tokens, n.key()),
        wide(tokens, n.key()),
        mixed(tokens, n.latent),
        values(tokens, n.heads * n.value) {}

  static std::uint64_t bytes(const LatentParts& parts, const LatentLengths& n) {
    return sizeof(float) *
           (parts.output.rows + n.few + 2 * n.key() + n.latent + n.heads * (n.query() + n.value));
  }
};

// With its weights at hand.
struct LatentAttention::Open {
  Open(const Run& with, const LatentParts& what, const LatentLengths& lengths)
      : run(with),
        parts(what),
        n(lengths),
        frame(with, what.frame),
        few(what.query_latent ? std::make_unique<FewForQueries>(with, what) : nullptr),
        query(with, what.query),
        latent(with, what.latent),
        latent_norm(with, {.before = what.latent_norm}),
        heads(open_heads(with, what, lengths)),
        output(with, what.output),
        turns(what.rope, with.weights, with.tokens.sequence_length),
        input(with, input_of(what)),
        inner(with, {.tensors = {what.output.weight}}) {
    if (!what.joined.weight.empty()) {
      joined_input.emplace(with, Input{.tensors = {what.joined.weight}});
    }
  }

  // The few numbers that queries are made of, where they are.
  struct FewForQueries {
    OpenProjection projection;
    OpenFrame norm;
    Watched input;

    FewForQueries(const Run& run, const LatentParts& parts)
        : projection(run, *parts.query_latent),
          norm(run, {.before = parts.query_norm}),
          input(run, {.tensors = {parts.query.weight}}) {}
  };

  void make_queries(const linear::Matrix& x, const linear::Matrix& numbers, const linear::Matrix& q,
                    const TokenRows& tokens) const {
    if (!few) return query.apply(x, q, tokens);
    few->projection.apply(x, numbers, tokens);
    few->norm.read(numbers, numbers);
    few->input.see(numbers, tokens);
    query.apply(numbers, q, tokens);
  }

  // The parts that know positions.
  void turn(const linear::Matrix& q, const linear::Matrix& key) const {
    for_rows(run.team, q.rows, [&](std::size_t t) {
      const std::uint64_t position = t % run.tokens.sequence_length;
      turns.turn(key.row(t) + n.latent, position);
      for (std::size_t h = 0; h < n.heads; ++h) {
        turns.turn(q.row(t) + h * n.query() + n.plain, position);
      }
    });
  }

  // Behind what is compared with the shared numbers comes what is compared with the turned ones.
  void complete(const linear::ConstMatrix& turned, const linear::Matrix& wide) const {
    for_rows(run.team, wide.rows, [&](std::size_t t) {
      std::copy_n(turned.row(t), n.rotated, wide.row(t) + n.latent);
      if (parts.temperature.scale == 0) return;
      const float warmth = parts.temperature.at(t % run.tokens.sequence_length);
      for (std::size_t i = 0; i < wide.columns; ++i) wide.row(t)[i] *= warmth;
    });
  }

  void run_head(std::size_t number, const Buffers& buffers, std::size_t tokens,
                const TokenRows& which) const {
    const linear::Matrix q = columns_of(buffers.query.rows(tokens), number * n.query(), n.query());
    const linear::Matrix key = buffers.key.rows(tokens);
    const linear::Matrix wide = buffers.wide.rows(tokens);
    const linear::Matrix mixed = buffers.mixed.rows(tokens);
    heads[number].widen(columns_of(q, 0, n.plain), columns_of(wide, 0, n.latent), which);
    complete(columns_of(q, n.plain, n.rotated), wide);
    const Scores scores{.heads = 1,
                        .key_heads = 1,
                        .key_length = n.key(),
                        .value_length = n.latent,
                        .scale = parts.scale};
    attend(scores, run.tokens.sequence_length, wide, key, columns_of(key, 0, n.latent), {}, mixed,
           run.settings.isa, run.team);
    heads[number].narrow(mixed, columns_of(buffers.values.rows(tokens), number * n.value, n.value),
                         which);
  }

  void run_block(const Buffers& buffers, const linear::Matrix& block,
                 const TokenRows& tokens) const {
    const linear::Matrix x = buffers.x.rows(block.rows);
    const linear::Matrix q = buffers.query.rows(block.rows);
    const linear::Matrix key = buffers.key.rows(block.rows);
    const linear::Matrix values = buffers.values.rows(block.rows);
    const linear::Matrix shared = columns_of(key, 0, n.latent);
    frame.read(block, x);
    input.see(x, tokens);
    make_queries(x, buffers.few.rows(block.rows), q, tokens);
    latent.apply(x, key, tokens);
    latent_norm.read(shared, shared);
    if (joined_input) joined_input->see(shared, tokens);
    turn(q, key);
    for (std::size_t h = 0; h < n.heads; ++h) run_head(h, buffers, block.rows, tokens);
    inner.see(values, tokens);
    output.apply(values, x, tokens);
    frame.add(x, block);
  }

  void finish() const {
    input.finish();
    if (few) few->input.finish();
    if (joined_input) joined_input->finish();
    for (const OpenHead& head : heads) head.finish();
    inner.finish();
  }

  const Run& run;
  const LatentParts& parts;
  const LatentLengths& n;
  OpenFrame frame;
  std::unique_ptr<const FewForQueries> few;
  OpenProjection query;
  OpenProjection latent;
  OpenFrame latent_norm;
  std::vector<OpenHead> heads;
  OpenProjection output;
  Turns turns;
  Watched input;
  std::optional<Watched> joined_input;
  Watched inner;
};

std::vector<std::string> LatentAttention::tensors() const {
  std::vector<std::string> names = parts_.frame.tensors();
  if (parts_.query_latent) {
    append_tensors(*parts_.query_latent, names);
    names.push_back(parts_.query_norm.weight);
  }
  append_tensors(parts_.query, names);
  append_tensors(parts_.latent, names);
  names.push_back(parts_.latent_norm.weight);
  for (const Projection* each : {&parts_.joined, &parts_.keys, &parts_.values, &parts_.output}) {
    if (!each->weight.empty()) append_tensors(*each, names);
  }
  return names;
}

std::vector<std::vector<Input>> LatentAttention::inputs() const {
  std::vector<Input> all{input_of(parts_)};
  if (parts_.query_latent) all.push_back({.tensors = {parts_.query.weight}});
  if (!parts_.joined.weight.empty()) all.push_back({.tensors = {parts_.joined.weight}});
  for (std::uint64_t head = 0; head < (parts_.joined.weight.empty() ? parts_.heads : 0); ++head) {
    all.push_back(input_of_head(parts_.keys, head));
    all.push_back(input_of_head(parts_.values, head));
  }
  all.push_back({.tensors = {parts_.output.weight}});
  return {all};
}

Space LatentAttention::space(const Tokens& tokens, int threads) const {
  const std::uint64_t length = tokens.sequence_length;
  const std::uint64_t turned = parts_.joined.weight.empty() ? 0
                                                            : parts_.heads * lengths_.plain *
                                                                  lengths_.latent * sizeof(float);
  const std::size_t deepest =
      std::max({parts_.output.rows, parts_.output.columns, parts_.query.columns});
  return {.fixed = linear::multiply_bytes(deepest, threads) +
                   attention_bytes(length) * static_cast<std::uint64_t>(threads) +
                   Turns::bytes(parts_.rope, length) + turned,
          .each = Buffers::bytes(parts_, lengths_),
          .at_once = length};
}

void LatentAttention::run(const Run& run, const linear::Matrix& stream) const {
  const std::uint64_t at_once =
      space(run.tokens, run.team.threads()).tokens_within(run.settings, stream.rows);
  const Open open(run, parts_, lengths_);
  const Buffers buffers(parts_, lengths_, at_once);
  for_blocks(stream.rows, at_once, [&](std::uint64_t first, std::uint64_t count) {
    open.run_block(buffers, rows_of(stream, first, count), {.first = first});
  });
  open.finish();
}

std::unique_ptr<Part> latent_attention(LatentParts parts) {
  return std::make_unique<LatentAttention>(std::move(parts));
}

}  // namespace sluice::model
