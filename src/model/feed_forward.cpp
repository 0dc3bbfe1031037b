#include "model/feed_forward.h"

#include <algorithm>
#include <utility>

#include "linear/functions.h"
#include "linear/products.h"

namespace sluice::model {
namespace {

class FeedForward final : public Part {
 public:
  explicit FeedForward(FeedForwardParts parts) : parts_(std::move(parts)) {}

  std::vector<std::string> tensors() const override;
  std::vector<std::vector<Input>> inputs() const override { return {parts_.inputs()}; }
  Space space(const Tokens&, int threads) const override;
  void run(const Run& run, const linear::Matrix& stream) const override;

 private:
  FeedForwardParts parts_;
};

std::vector<std::string> FeedForward::tensors() const {
  std::vector<std::string> names = parts_.frame.tensors();
  for (std::string& name : parts_.tensors()) names.push_back(std::move(name));
  return names;
}

Space FeedForward::space(const Tokens&, int threads) const {
  return {.fixed = parts_.product_bytes(threads),
          .each = (parts_.down.rows + parts_.joined()) * sizeof(float)};
}

void FeedForward::run(const Run& run, const linear::Matrix& stream) const {
  const OpenFrame frame(run, parts_.frame);
  const OpenFeedForward inner(run, parts_, FeedForwardNumbers(run, parts_));
  const std::uint64_t at_once =
      space(run.tokens, run.team.threads()).tokens_within(run.settings, stream.rows);
  const Buffer x_buffer(at_once, stream.columns);
  const Buffer joined_buffer(at_once, parts_.joined());
  for_blocks(stream.rows, at_once, [&](std::uint64_t first, std::uint64_t count) {
    const linear::Matrix block = rows_of(stream, first, count);
    const linear::Matrix x = x_buffer.rows(count);
    frame.read(block, x);
    inner.apply(x, joined_buffer.rows(count), {.first = first});
    frame.add(x, block);
  });
  inner.finish();
}

// gate = min(silu(gate), limit) * up, where up is from -limit to limit, row by row.
void gate_rows_within(float limit, const linear::Matrix& gate, const linear::ConstMatrix& up,
                      const Run& run) {
  const std::vector<float> ones(gate.columns, 1.0F);
  for_rows(run.team, gate.rows, [&](std::size_t t) {
    float* const row = gate.row(t);
    linear::silu_gate(row, ones.data(), gate.columns, run.settings.isa);
    for (std::size_t i = 0; i < gate.columns; ++i) {
      row[i] = std::min(row[i], limit) * std::clamp(up.row(t)[i], -limit, limit);
    }
  });
}

// gate = activation(gate) * up, row by row.
void gate_rows(Activation activation, const linear::Matrix& gate, const linear::ConstMatrix& up,
               const Run& run) {
  const auto function = [&] {
    switch (activation) {
      case Activation::gelu:
        return linear::gelu_gate;
      case Activation::clamped_silu:
        return linear::clamped_silu_gate;
      case Activation::silu:
        break;
    }
    return linear::silu_gate;
  }();
  for_rows(run.team, gate.rows, [&](std::size_t t) {
    function(gate.row(t), up.row(t), gate.columns, run.settings.isa);
  });
}

}  // namespace

std::vector<std::string> FeedForwardParts::tensors() const {
  std::vector<std::string> names;
  for (const std::string* name : {&gate.bias, &up.bias, &down.bias, &gate.scale, &up.scale,
                                  &down.scale, &gate.weight, &up.weight, &down.weight}) {
    if (!name->empty()) names.push_back(*name);
  }
  return names;
}

std::vector<Input> FeedForwardParts::inputs(std::uint64_t number,
                                            std::vector<std::string> others) const {
  if (!packed()) others.push_back(gate.weight);
  others.push_back(up.weight);
  return {{.tensors = std::move(others), .number = number, .matrices = up.matrices},
          {.tensors = {down.weight}, .number = number, .matrices = down.matrices}};
}

std::uint64_t FeedForwardParts::product_bytes(int threads) const {
  return linear::multiply_bytes(std::max(down.rows, down.columns), threads);
}

FeedForwardNumbers::FeedForwardNumbers(const Run& run, const FeedForwardParts& parts)
    : gate(run, parts.gate), up(run, parts.up), down(run, parts.down) {}

OpenFeedForward::OpenFeedForward(const Run& run, const FeedForwardParts& parts,
                                 const FeedForwardNumbers& numbers, std::uint64_t number,
                                 std::vector<std::string> others)
    : run_(run),
      parts_(parts),
      gate_(parts.packed()
                ? std::nullopt
                : std::optional<OpenProjection>({run, parts.gate, number, numbers.gate})),
      up_(run, parts.up, number, numbers.up),
      down_(run, parts.down, number, numbers.down),
      outer_(run, parts.inputs(number, std::move(others))[0]),
      inner_(run, parts.inputs(number)[1]) {}

void OpenFeedForward::apply(const linear::Matrix& x, const linear::Matrix& joined,
                            const TokenRows& tokens) const {
  const std::size_t length = parts_.down.columns;
  const linear::Matrix gates = columns_of(joined, 0, length);
  const linear::Matrix ups = columns_of(joined, length, length);
  outer_.see(x, tokens);
  if (gate_) gate_->apply(x, gates, tokens);
  up_.apply(x, gate_ ? ups : columns_of(joined, 0, parts_.joined()), tokens);
  if (parts_.limit > 0) {
    gate_rows_within(parts_.limit, gates, ups, run_);
  } else {
    gate_rows(parts_.activation, gates, ups, run_);
  }
  inner_.see(gates, tokens);
  down_.apply(gates, x, tokens);
}

void OpenFeedForward::finish() const {
  outer_.finish();
  inner_.finish();
}

FeedForwardParts gated_parts(const Metadata& model, std::uint64_t layer, const std::string& ending,
                             std::uint64_t length, std::uint64_t matrices) {
  const std::uint64_t width = model.whole("embedding_length");
  const auto projection = [&](const char* name, std::uint64_t rows, std::uint64_t columns) {
    return Projection::of(model, of_block(layer, name + ending), rows, columns, matrices);
  };
  FeedForwardParts parts{.up = {}, .down = projection("ffn_down", width, length)};
  const auto has = [&](const char* name) {
    return model.has(of_block(layer, name + ending + ".weight"));
  };
  if (has("ffn_gate")) {
    parts.gate = projection("ffn_gate", length, width);
    parts.up = projection("ffn_up", length, width);
  } else {
    parts.up = projection(has("ffn_gate_up") ? "ffn_gate_up" : "ffn_up", 2 * length, width);
  }
  return parts;
}

FeedForwardParts feed_forward_parts(const Metadata& model, std::uint64_t layer,
                                    const Frame& frame) {
  FeedForwardParts parts =
      gated_parts(model, layer, "", model.of_layer("feed_forward_length", layer));
  parts.frame = frame;
  return parts;
}

std::unique_ptr<Part> feed_forward(FeedForwardParts parts) {
  return std::make_unique<FeedForward>(std::move(parts));
}

}  // namespace sluice::model
