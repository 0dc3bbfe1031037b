#include "model/feed_forward.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "linear/functions.h"
#include "linear/products.h"

namespace sluice::model {
namespace {

class FeedForward final : public Part {
 public:
  explicit FeedForward(FeedForwardParts parts) : parts_(std::move(parts)) {}

  std::vector<std::string> tensors() const override;
  std::vector<Input> inputs() const override;
  Space space(const Tokens&, int) const override;
  void run(const Run& run, const linear::Matrix& stream) const override;

 private:
  bool packed() const { return parts_.gate.weight.empty(); }

  FeedForwardParts parts_;
};

std::vector<std::string> FeedForward::tensors() const {
  std::vector<std::string> names = parts_.frame.tensors();
  if (!packed()) append_tensors(parts_.gate, names);
  append_tensors(parts_.up, names);
  append_tensors(parts_.down, names);
  return names;
}

Space FeedForward::space(const Tokens&, int threads) const {
  const std::size_t deepest = std::max(parts_.down.rows, parts_.down.columns);
  return {.fixed = linear::multiply_bytes(deepest, threads),
          .each = (parts_.down.rows + 2 * parts_.down.columns) * sizeof(float)};
}

std::vector<Input> FeedForward::inputs() const {
  Input outer;
  if (!packed()) outer.tensors.push_back(parts_.gate.weight);
  outer.tensors.push_back(parts_.up.weight);
  return {outer, {.tensors = {parts_.down.weight}}};
}

void FeedForward::run(const Run& run, const linear::Matrix& stream) const {
  const OpenFrame frame(run, parts_.frame);
  std::optional<OpenProjection> gate;
  if (!packed()) gate.emplace(run, parts_.gate);
  const OpenProjection up(run, parts_.up);
  const OpenProjection down(run, parts_.down);
  const std::vector<Input> told = inputs();
  const Watched outer(run, told[0]);
  const Watched inner(run, told[1]);
  const std::uint64_t at_once =
      space(run.tokens, run.team.threads()).tokens_within(run.settings.memory, stream.rows);
  const std::size_t length = parts_.down.columns;
  const Buffer x_buffer(at_once, stream.columns);
  const Buffer joined_buffer(at_once, 2 * length);
  for_blocks(stream.rows, at_once, [&](std::uint64_t first, std::uint64_t count) {
    const linear::Matrix block = rows_of(stream, first, count);
    const linear::Matrix x = x_buffer.rows(count);
    const linear::Matrix joined = joined_buffer.rows(count);
    const linear::Matrix gates = columns_of(joined, 0, length);
    const linear::Matrix ups = columns_of(joined, length, length);
    frame.read(block, x);
    outer.see(x);
    if (gate) gate->apply(x, gates);
    up.apply(x, gate ? ups : joined);
    gate_rows(parts_.activation, gates, ups, run);
    inner.see(gates);
    down.apply(gates, x);
    frame.add(x, block);
  });
  outer.finish();
  inner.finish();
}

}  // namespace

void gate_rows(Activation activation, const linear::Matrix& gate, const linear::ConstMatrix& up,
               const Run& run) {
  const auto function = activation == Activation::silu ? linear::silu_gate : linear::gelu_gate;
  for_rows(run.team, gate.rows, [&](std::size_t t) {
    function(gate.row(t), up.row(t), gate.columns, run.settings.isa);
  });
}

FeedForwardParts feed_forward_parts(const Metadata& model, std::uint64_t layer,
                                    const Frame& frame) {
  const std::uint64_t width = model.whole("embedding_length");
  const std::uint64_t length = model.of_layer("feed_forward_length", layer);
  const auto projection = [&](const char* name, std::uint64_t rows, std::uint64_t columns) {
    return Projection::of(model, of_block(layer, name), rows, columns);
  };
  FeedForwardParts parts{.frame = frame, .up = {}, .down = projection("ffn_down", width, length)};
  const bool packed = !model.has(of_block(layer, "ffn_gate.weight"));
  if (!packed) parts.gate = projection("ffn_gate", length, width);
  parts.up = projection("ffn_up", packed ? 2 * length : length, width);
  return parts;
}

std::unique_ptr<Part> feed_forward(FeedForwardParts parts) {
  return std::make_unique<FeedForward>(std::move(parts));
}

}  // namespace sluice::model
