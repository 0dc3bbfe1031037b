#include "model/delta_net.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "linear/functions.h"
#include "linear/products.h"
#include "model/delta_heads.h"

namespace sluice::model {
namespace {

class DeltaNet final : public Part {
 public:
  explicit DeltaNet(DeltaNetParts parts) : parts_(std::move(parts)) {}

  std::vector<std::string> tensors() const override;
  std::vector<std::vector<Input>> inputs() const override;
  Space space(const Tokens& tokens, int threads) const override;
  void run(const Run& run, const linear::Matrix& stream) const override;

 private:
  struct Buffers;
  struct Open;

  DeltaNetParts parts_;
};

// Where the numbers of a value head are in what `rates` give, side by side.
struct RateColumns {
  const DeltaHeads& heads;
  bool joined;

  std::size_t rate(std::size_t head) const {
    return joined ? head + head / heads.shared() * heads.shared() : head;
  }
  std::size_t decay(std::size_t head) const {
    return joined ? rate(head) + heads.shared() : heads.value_heads + head;
  }
};

// log(1 + exp(x))
long double softplus(long double x) {
  return x > 20 ? x : std::log1p(std::exp(x));
}

}  // namespace

struct DeltaNet::Buffers {
  Buffer x;
  Buffer mixed;
  Buffer gate;
  Buffer told;  // as the projections give them
  Buffer decays;
  Buffer rates;

  Buffers(const DeltaNetParts& parts, std::size_t tokens)
      : x(tokens, parts.output.rows),
        mixed(tokens, parts.heads.channels()),
        gate(tokens, parts.heads.values()),
        told(tokens, 2 * parts.heads.value_heads),
        decays(tokens, parts.heads.value_heads),
        rates(tokens, parts.heads.value_heads) {}

  static std::uint64_t bytes(const DeltaNetParts& parts) {
    return sizeof(float) * (parts.output.rows + parts.heads.channels() + parts.heads.values() +
                            4 * parts.heads.value_heads);
  }
};

// With its weights at hand.
struct DeltaNet::Open {
  Open(const Run& with, const DeltaNetParts& of, const std::vector<Input>& told)
      : run(with),
        parts(of),
        frame(with, of.frame),
        mixed(with, of.mixed),
        gate(with, of.gate),
        output(with, of.output),
        decay(numbers_of(with, of.decay)),
        decay_bias(numbers_of(with, of.decay_bias)),
        norm(numbers_of(with, of.norm.weight)),
        input(with, told[0]),
        inner(with, told[1]) {
    for (const Projection& p : parts.rates) rates.emplace_back(with, p);
    // By channels in the file, by taps here.
    const std::vector<float> weights = numbers_of(with, of.convolution);
    convolution.resize(weights.size());
    const std::size_t channels = parts.heads.channels();
    for (std::size_t i = 0; i < weights.size(); ++i) {
      convolution[i % parts.taps * channels + i / parts.taps] = weights[i];
    }
  }

  void project(const linear::ConstMatrix& x, const Buffers& buffers,
               const TokenRows& tokens) const {
    mixed.apply(x, buffers.mixed.rows(x.rows), tokens);
    gate.apply(x, buffers.gate.rows(x.rows), tokens);
    std::size_t first = 0;
    for (std::size_t i = 0; i < rates.size(); ++i) {
      const std::size_t rows = parts.rates[i].rows;
      rates[i].apply(x, columns_of(buffers.told.rows(x.rows), first, rows), tokens);
      first += rows;
    }
  }

  // Decays in long double, as their last bit is then the same on every machine.
  void prepare_rates(const linear::ConstMatrix& told, const linear::Matrix& decays,
                     const linear::Matrix& of_rates) const {
    const RateColumns columns{parts.heads, parts.rates.size() == 1};
    for_rows(run.team, told.rows, [&](std::size_t t) {
      for (std::size_t h = 0; h < parts.heads.value_heads; ++h) {
        const long double time = softplus(told.row(t)[columns.decay(h)] + decay_bias[h]);
        decays.row(t)[h] = static_cast<float>(std::exp(time * decay[h]));
        of_rates.row(t)[h] = told.row(t)[columns.rate(h)];
      }
      linear::sigmoid(of_rates.row(t), of_rates.columns, run.settings.isa);
    });
  }

  // Queries and keys of length 1.
  void prepare_heads(const linear::Matrix& x) const {
    const std::size_t length = parts.heads.key_length;
    const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(length)));
    for_rows(run.team, x.rows, [&](std::size_t t) {
      float* const row = x.row(t);
      for (std::size_t h = 0; h < 2 * parts.heads.key_heads; ++h) {
        linear::l2_norm(row + h * length, length, parts.norm.epsilon, run.settings.isa);
      }
      for (std::size_t i = 0; i < parts.heads.keys(); ++i) row[i] *= scale;
    });
  }

  // gates = silu(gates) * what heads give, each behind its norm.
  void weigh(const linear::Matrix& given, const linear::Matrix& gates) const {
    const std::size_t length = parts.heads.value_length;
    for_rows(run.team, given.rows, [&](std::size_t t) {
      for (std::size_t h = 0; h < parts.heads.value_heads; ++h) {
        float* const head = given.row(t) + h * length;
        linear::rms_norm(head, norm.data(), length, parts.norm.epsilon, head, run.settings.isa);
      }
      linear::silu_gate(gates.row(t), given.row(t), gates.columns, run.settings.isa);
    });
  }

  void run_block(const Buffers& buffers, const linear::Matrix& block,
                 const TokenRows& tokens) const {
    const std::uint64_t length = run.tokens.sequence_length;
    const linear::Matrix x = buffers.x.rows(block.rows);
    const linear::Matrix heads = buffers.mixed.rows(block.rows);
    const linear::Matrix gates = buffers.gate.rows(block.rows);
    const linear::Matrix decays = buffers.decays.rows(block.rows);
    const linear::Matrix of_rates = buffers.rates.rows(block.rows);
    frame.read(block, x);
    input.see(x, tokens);
    project(x, buffers, tokens);
    prepare_rates(buffers.told.rows(block.rows), decays, of_rates);
    convolve(heads, convolution, length, run.settings.isa, run.team);
    prepare_heads(heads);
    run_states(parts.heads, heads, {decays, of_rates}, length, run.settings.isa, run.team);
    weigh(columns_of(heads, 2 * parts.heads.keys(), parts.heads.values()), gates);
    inner.see(gates, tokens);
    output.apply(gates, x, tokens);
    frame.add(x, block);
  }

  void finish() const {
    input.finish();
    inner.finish();
  }

  const Run& run;
  const DeltaNetParts& parts;
  OpenFrame frame;
  OpenProjection mixed;
  OpenProjection gate;
  std::vector<OpenProjection> rates;
  OpenProjection output;
  std::vector<float> convolution;
  std::vector<float> decay;
  std::vector<float> decay_bias;
  std::vector<float> norm;
  Watched input;
  Watched inner;
};

std::vector<std::string> DeltaNet::tensors() const {
  std::vector<std::string> names = parts_.frame.tensors();
  append_tensors(parts_.mixed, names);
  append_tensors(parts_.gate, names);
  for (const Projection& projection : parts_.rates) append_tensors(projection, names);
  append_tensors(parts_.output, names);
  for (const std::string* name :
       {&parts_.convolution, &parts_.decay, &parts_.decay_bias, &parts_.norm.weight}) {
    names.push_back(*name);
  }
  return names;
}

std::vector<std::vector<Input>> DeltaNet::inputs() const {
  std::vector<std::string> first{parts_.mixed.weight, parts_.gate.weight};
  for (const Projection& projection : parts_.rates) first.push_back(projection.weight);
  return {{{.tensors = std::move(first)}, {.tensors = {parts_.output.weight}}}};
}

Space DeltaNet::space(const Tokens& tokens, int threads) const {
  const std::size_t deepest = std::max(parts_.output.columns, parts_.output.rows);
  return {.fixed = linear::multiply_bytes(deepest, threads) + state_bytes(parts_.heads, threads) +
                   2 * parts_.heads.channels() * parts_.taps * sizeof(float),
          .each = Buffers::bytes(parts_),
          .at_once = tokens.sequence_length};
}

void DeltaNet::run(const Run& run, const linear::Matrix& stream) const {
  const std::uint64_t at_once =
      space(run.tokens, run.team.threads()).tokens_within(run.settings, stream.rows);
  const Open open(run, parts_, inputs().front());
  const Buffers buffers(parts_, at_once);
  for_blocks(stream.rows, at_once, [&](std::uint64_t first, std::uint64_t count) {
    open.run_block(buffers, rows_of(stream, first, count), {.first = first});
  });
  open.finish();
}

std::unique_ptr<Part> delta_net(DeltaNetParts parts) {
  return std::make_unique<DeltaNet>(std::move(parts));
}

}  // namespace sluice::model
