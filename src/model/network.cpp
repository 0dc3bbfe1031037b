#include "model/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "linear/functions.h"
#include "linear/products.h"
#include "model/description.h"
#include "sluice/error.h"

namespace sluice::model {
namespace {

std::size_t row_of_token(const Description& model, const Tokens& tokens, std::size_t t) {
  const std::int32_t id = tokens.ids[t];
  if (id >= 0 && static_cast<std::uint64_t>(id) < model.vocabulary) {
    return static_cast<std::size_t>(id);
  }
  throw Error(ErrorCode::usage,
              fmt::format("token {} of the text is {}, and the model has {} tokens", t, id,
                          model.vocabulary),
              {.cure = "make the tokens with the model's own tokenizer"});
}

Space output_space(const Description& model, int threads) {
  return {.fixed = linear::multiply_bytes(model.width, threads),
          .each = model.width * sizeof(float)};
}

/// \throws Error (input_value) if the stream holds what is no number: it would spread to all
/// moments.
void check_stream(const linear::Matrix& stream, std::uint64_t layer, const std::string& file,
                  Team& team) {
  for_rows(team, stream.rows, [&](std::size_t t) {
    float sum = 0;
    for (std::size_t i = 0; i < stream.columns; ++i) sum += 0 * stream.row(t)[i];
    if (sum == 0) return;
    throw Error(
        ErrorCode::input_value,
        fmt::format("layer {} of the model makes NaN or infinity of token {}", layer, t),
        {.file = file,
         .cure = "run `sluice verify` on the model, which names tensors that hold such values"});
  });
}

}  // namespace

struct Network::Parts {
  Description description;
  std::string file;
};

Network::Network(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;
Network::~Network() = default;

Network Network::of(const gguf::Header& model, const std::string& file) {
  const Metadata metadata(model, file);
  const Family& family = family_of(metadata);
  return Network(std::make_unique<const Parts>(Parts{family.describe(metadata), file}));
}

std::uint64_t Network::width() const {
  return parts_->description.width;
}

std::uint64_t Network::layers() const {
  return parts_->description.layers.size();
}

std::uint64_t Network::vocabulary() const {
  return parts_->description.vocabulary;
}

std::vector<std::string> Network::tensors_of(std::uint64_t layer) const {
  std::vector<std::string> all;
  for (const auto& part : parts_->description.layers.at(layer)) {
    for (std::string& name : part->tensors()) all.push_back(std::move(name));
  }
  return all;
}

std::vector<std::vector<Input>> Network::inputs_of(std::uint64_t layer) const {
  if (layer == layers()) return {{{.tensors = {parts_->description.output.weight}}}};
  std::vector<std::vector<Input>> all;
  for (const auto& part : parts_->description.layers.at(layer)) {
    for (std::vector<Input>& together : part->inputs()) all.push_back(std::move(together));
  }
  return all;
}

void Network::embed(const Tokens& tokens, WeightStore& weights, const linear::Matrix& stream,
                    const RunSettings&, Team& team) const {
  const Description& model = parts_->description;
  // In the order of their rows, neighbours of which a store may read together.
  std::vector<std::size_t> order(tokens.ids.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t t) { return tokens.ids[t]; });
  const auto embedding = weights.matrix(model.embedding);
  for_rows(team, order.size(), [&](std::size_t i) {
    const std::size_t t = order[i];
    embedding->decode(row_of_token(model, tokens, t), 1, stream.row(t));
    for (std::size_t c = 0; c < stream.columns; ++c) stream.row(t)[c] *= model.embedding_scale;
  });
}

void Network::run_layer(std::uint64_t layer, const Tokens& tokens, WeightStore& weights,
                        const linear::Matrix& stream, Watcher* watcher, const RunSettings& settings,
                        Team& team) const {
  const Run run{tokens, weights, watcher, settings, team};
  for (const auto& part : parts_->description.layers.at(layer)) part->run(run, stream);
  check_stream(stream, layer, parts_->file, team);
}

void Network::run_output(const linear::ConstMatrix& stream, WeightStore& weights,
                         const linear::Matrix& logits, Watcher* watcher,
                         const RunSettings& settings, Team& team) const {
  const Description& model = parts_->description;
  const Tokens no_tokens;
  const Run run{no_tokens, weights, watcher, settings, team};
  const OpenFrame frame(run, {.before = model.output_norm});
  std::optional<OpenProjection> output;
  if (logits.rows > 0) output.emplace(run, model.output);
  const Watched input(run, {.tensors = {model.output.weight}});
  const std::uint64_t at_once =
      output_space(model, team.threads()).tokens_within(settings, stream.rows);
  const Buffer x_buffer(at_once, model.width);
  for_blocks(stream.rows, at_once, [&](std::uint64_t first, std::uint64_t count) {
    const linear::Matrix x = x_buffer.rows(count);
    frame.read({stream.row(first), count, stream.columns, stream.stride}, x);
    input.see(x, {.first = first});
    if (!output) return;
    const linear::Matrix block = rows_of(logits, first, count);
    output->apply(x, block, {.first = first});
    if (model.logit_cap == 0) return;
    for_rows(team, count, [&](std::size_t t) {
      linear::soft_cap(block.row(t), block.columns, model.logit_cap, settings.isa);
    });
  });
  input.finish();
}

template <typename Function>
std::uint64_t Network::largest_space(const Tokens& tokens, int threads, const Function& of) const {
  std::uint64_t most = of(output_space(parts_->description, threads));
  for (const Layer& layer : parts_->description.layers) {
    for (const auto& part : layer) most = std::max(most, of(part->space(tokens, threads)));
  }
  return most;
}

std::uint64_t Network::least_memory(const Tokens& tokens, int threads) const {
  return largest_space(tokens, threads, [](const Space& space) { return space.least(); });
}

std::uint64_t Network::whole_memory(const Tokens& tokens, int threads) const {
  return largest_space(tokens, threads,
                       [&](const Space& space) { return space.of(tokens.ids.size()); });
}

}  // namespace sluice::model
