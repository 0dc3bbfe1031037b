#include "model/experts.h"

#include <algorithm>
#include <utility>

#include "linear/functions.h"

namespace sluice::model {
namespace {

class Experts final : public Part {
 public:
  explicit Experts(ExpertsParts parts) : parts_(std::move(parts)) {}

  std::vector<std::string> tensors() const override;
  std::vector<std::vector<Input>> inputs() const override;
  Space space(const Tokens& tokens, int threads) const override;
  void run(const Run& run, const linear::Matrix& stream) const override;

 private:
  struct Pass;
  class Shared;

  ExpertsParts parts_;
};

// Floats a token of what any of the networks has within.
std::uint64_t joined_columns(const ExpertsParts& parts) {
  return std::max(parts.each.joined(), parts.shared ? parts.shared->joined() : 0);
}

// What every token is multiplied by, without the shared experts.
std::vector<std::string> weights_for_all(const ExpertsParts& parts) {
  std::vector<std::string> names{parts.router.weight};
  if (parts.shared_gate) names.push_back(parts.shared_gate->weight);
  return names;
}

}  // namespace

// One run over all tokens. What comes out is summed beside the stream, which all experts read.
struct Experts::Pass {
  Pass(const Run& with, const ExpertsParts& what, const linear::Matrix& from, std::uint64_t at_once)
      : run(with),
        parts(what),
        stream(from),
        frame(with, what.frame),
        most(at_once),
        sums(from.rows, from.columns),
        xs(at_once, from.columns),
        joined(at_once, joined_columns(what)),
        scores(at_once, what.routing.experts),
        choices(from.rows * what.routing.chosen) {}

  // sum += weight * y, for each of some tokens.
  template <typename WeightOf>
  void add_weighed(const linear::ConstMatrix& y, const WeightOf& to) const {
    const linear::Matrix sum = sums.rows(stream.rows);
    for_rows(run.team, y.rows, [&](std::size_t i) {
      const Sent sent = to(i);
      float* const row = sum.row(sent.token);
      for (std::size_t c = 0; c < y.columns; ++c) row[c] += sent.weight * y.row(i)[c];
    });
  }

  void choose(std::uint64_t first, const linear::Matrix& of_tokens,
              const std::vector<float>& bias) {
    for_rows(run.team, of_tokens.rows, [&](std::size_t i) {
      const std::size_t chosen = parts.routing.chosen;
      route(parts.routing, {of_tokens.row(i), of_tokens.columns}, bias, run.settings.isa,
            std::span(choices).subspan((first + i) * chosen, chosen));
    });
  }

  void apply(const OpenFeedForward& network, const linear::Matrix& x,
             const TokenRows& tokens) const {
    network.apply(x, joined.rows(x.rows), tokens);
  }

  void route_and_share();
  void run_expert(std::uint64_t expert, const FeedForwardNumbers& numbers,
                  std::span<const Sent> sent) const;

  const Run& run;
  const ExpertsParts& parts;
  const linear::Matrix& stream;
  OpenFrame frame;
  std::uint64_t most;  // tokens at once
  Buffer sums;
  Buffer xs;
  Buffer joined;
  Buffer scores;
  std::vector<Choice> choices;
};

// The experts that all tokens share, with their weights at hand.
class Experts::Shared {
 public:
  Shared(const Pass& pass, std::vector<std::string> same_input)
      : pass_(pass),
        gate_(pass.parts.shared_gate
                  ? std::optional<OpenProjection>({pass.run, *pass.parts.shared_gate})
                  : std::nullopt),
        network_(pass.run, *pass.parts.shared, FeedForwardNumbers(pass.run, *pass.parts.shared), 0,
                 std::move(same_input)) {}

  // x [tokens from `first` on, width] is overwritten.
  void add(std::uint64_t first, const linear::Matrix& x) const {
    const linear::Matrix weights = columns_of(pass_.scores.rows(x.rows), 0, 1);
    const TokenRows tokens{.first = first};
    weigh(x, weights, tokens);
    pass_.apply(network_, x, tokens);
    pass_.add_weighed(x, [&](std::size_t i) {
      return Sent{static_cast<std::uint32_t>(first + i), *weights.row(i)};
    });
  }

  void finish() const { network_.finish(); }

 private:
  void weigh(const linear::Matrix& x, const linear::Matrix& weights,
             const TokenRows& tokens) const {
    if (gate_) gate_->apply(x, weights, tokens);
    for (std::size_t i = 0; i < x.rows; ++i) {
      if (!gate_) *weights.row(i) = 1;
      if (gate_) linear::sigmoid(weights.row(i), 1, pass_.run.settings.isa);
    }
  }

  const Pass& pass_;
  std::optional<OpenProjection> gate_;
  OpenFeedForward network_;
};

// Where all tokens go: to the router, and through the shared experts.
void Experts::Pass::route_and_share() {
  std::vector<std::string> names = weights_for_all(parts);
  const OpenProjection router(run, parts.router);
  const std::vector<float> bias = numbers_of(run, parts.choice_bias);
  std::optional<Shared> shared;
  std::optional<Watched> alone;
  if (parts.shared) {
    shared.emplace(*this, std::move(names));
  } else {
    alone.emplace(run, Input{.tensors = std::move(names)});
  }
  for_blocks(stream.rows, most, [&](std::uint64_t first, std::uint64_t count) {
    const linear::Matrix x = xs.rows(count);
    frame.read(rows_of(stream, first, count), x);
    router.apply(x, scores.rows(count), {.first = first});
    choose(first, scores.rows(count), bias);
    if (alone) alone->see(x, {.first = first});
    if (shared) shared->add(first, x);
  });
  if (alone) alone->finish();
  if (shared) shared->finish();
}

void Experts::Pass::run_expert(std::uint64_t expert, const FeedForwardNumbers& numbers,
                               std::span<const Sent> sent) const {
  const OpenFeedForward network(run, parts.each, numbers, expert);
  std::vector<std::uint32_t> tokens;
  for_blocks(sent.size(), most, [&](std::uint64_t first, std::uint64_t count) {
    const std::span<const Sent> some = sent.subspan(first, count);
    const linear::Matrix x = xs.rows(count);
    for_rows(run.team, count,
             [&](std::size_t i) { std::copy_n(stream.row(some[i].token), x.columns, x.row(i)); });
    frame.read(x, x);
    if (parts.weigh_inputs) {
      for_rows(run.team, count, [&](std::size_t i) {
        for (std::size_t c = 0; c < x.columns; ++c) x.row(i)[c] *= some[i].weight;
      });
    }
    tokens.clear();
    for (const Sent& one : some) tokens.push_back(one.token);
    apply(network, x, {.listed = tokens});
    add_weighed(x, [&](std::size_t i) {
      return Sent{some[i].token, parts.weigh_inputs ? 1.0F : some[i].weight};
    });
  });
  network.finish();
}

std::vector<std::string> Experts::tensors() const {
  std::vector<std::string> names = parts_.frame.tensors();
  append_tensors(parts_.router, names);
  if (!parts_.choice_bias.empty()) names.push_back(parts_.choice_bias);
  if (parts_.shared_gate) append_tensors(*parts_.shared_gate, names);
  if (parts_.shared) {
    for (std::string& name : parts_.shared->tensors()) names.push_back(std::move(name));
  }
  for (std::string& name : parts_.each.tensors()) names.push_back(std::move(name));
  return names;
}

std::vector<std::vector<Input>> Experts::inputs() const {
  std::vector<std::string> names = weights_for_all(parts_);
  std::vector<Input> of_all;
  if (parts_.shared) {
    of_all = parts_.shared->inputs(0, names);
  } else {
    of_all.push_back({.tensors = std::move(names)});
  }
  return {std::move(of_all), parts_.each.inputs()};
}

Space Experts::space(const Tokens& tokens, int threads) const {
  const std::uint64_t width = parts_.each.down.rows;
  const std::uint64_t ways = parts_.routing.chosen * (sizeof(Choice) + sizeof(Sent));
  const std::uint64_t products =
      std::max(parts_.each.product_bytes(threads),
               parts_.shared ? parts_.shared->product_bytes(threads) : 0);
  return {.fixed = products + tokens.ids.size() * (width * sizeof(float) + ways),
          .each = (width + joined_columns(parts_) + parts_.routing.experts) * sizeof(float)};
}

void Experts::run(const Run& run, const linear::Matrix& stream) const {
  const std::uint64_t at_once =
      space(run.tokens, run.team.threads()).tokens_within(run.settings, stream.rows);
  Pass pass(run, parts_, stream, at_once);
  pass.route_and_share();
  const Routes routes(parts_.routing, pass.choices);
  const FeedForwardNumbers numbers(run, parts_.each);
  for (std::uint64_t expert = 0; expert < parts_.routing.experts; ++expert) {
    pass.run_expert(expert, numbers, routes.to(expert));
  }
  pass.frame.add(pass.sums.rows(stream.rows), stream);
}

ExpertsParts experts_parts(const Metadata& model, std::uint64_t layer, const Frame& frame) {
  const Routing routing = routing_of(model);
  const std::uint64_t length = model.whole("expert_feed_forward_length", 0);
  const std::string bias = of_block(layer, "exp_probs_b.bias");
  return {.frame = frame,
          .routing = routing,
          .router = Projection::of(model, of_block(layer, "ffn_gate_inp"), routing.experts,
                                   model.whole("embedding_length")),
          .choice_bias = model.numbers_if_any(bias, routing.experts),
          .each = gated_parts(model, layer, "_exps",
                              length ? length : model.of_layer("feed_forward_length", layer),
                              routing.experts)};
}

void add_shared(const Metadata& model, std::uint64_t layer, std::uint64_t length,
                ExpertsParts& parts) {
  parts.shared = gated_parts(model, layer, "_shexp", length);
}

std::unique_ptr<Part> experts(ExpertsParts parts) {
  return std::make_unique<Experts>(std::move(parts));
}

}  // namespace sluice::model
