#include "calibrate/walk.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/checked.h"
#include "base/stop.h"
#include "calibrate/second_stream.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice::calibrate {

WalkMemory WalkMemory::least(const model::Network& network, const model::Tokens& tokens,
                             const MatrixMap& map, int threads, bool whole) {
  WalkMemory least{.stream = tokens.ids.size() * network.width() * sizeof(float),
                   .layer = whole ? network.whole_memory(tokens, threads)
                                  : network.least_memory(tokens, threads)};
  for (std::uint64_t layer = 0; layer < network.layers(); ++layer) {
    least.weights = std::max(least.weights,
                             ModelWeights::least_memory(map, network.tensors_of(layer), threads));
  }
  return least;
}

WalkMemory WalkMemory::within(std::uint64_t budget, std::uint64_t beside) const {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  const std::uint64_t needed = total() + beside;
  if (budget < needed) {
    throw Error(ErrorCode::memory_budget,
                fmt::format("--memory of {} is too small for this model and so many tokens: the "
                            "least is {}M, {} of it for what the tokens become from layer to layer",
                            bytes_text(static_cast<double>(budget)), align_up(needed, kMiB) / kMiB,
                            bytes_text(static_cast<double>(stream))),
                {.cure = "Raise --memory, or use fewer tokens (--chunks, --calibrate-chunks, "
                         "--measure-tokens)"});
  }
  const std::uint64_t spare = budget - needed;
  return {.stream = stream, .layer = layer + spare / 2, .weights = weights + spare / 2};
}

Walk::Walk(const model::Network& network, const model::Tokens& tokens, ModelWeights& weights,
           Team& team, const WalkSettings& settings)
    : network_(network),
      tokens_(tokens),
      weights_(weights),
      team_(team),
      settings_(settings),
      state_(settings.state, settings.binding),
      stream_(tokens.ids.size() * network.width() * sizeof(float)) {
  if (const std::optional<std::uint64_t> layers = state_.load(stream())) {
    found_ = true;
    done_ = *layers;
  }
  state_.require_space(tokens.ids.size(), network.width());
}

linear::Matrix Walk::stream() const {
  return {.data = reinterpret_cast<float*>(stream_.bytes().data()),
          .rows = tokens_.ids.size(),
          .columns = network_.width(),
          .stride = network_.width()};
}

void Walk::begin() {
  if (!found_) state_.save(0, {});
  found_ = true;
}

void Walk::run(Visitor& visitor) {
  const model::RunSettings settings{.isa = settings_.isa,
                                    .memory = settings_.layer_memory,
                                    .whole = settings_.quantized != nullptr};
  const std::uint64_t end = std::min(settings_.layers, network_.layers());
  for (std::uint64_t layer = done_; layer < end; ++layer) {
    weights_.expect(network_.tensors_of(layer));
  }
  if (done_ == 0) {
    network_.embed(tokens_, weights_, stream(), settings, team_);
    if (settings_.quantized != nullptr) {
      embed_second(network_, tokens_, *settings_.quantized, stream(), settings, team_);
    }
  }
  for (; done_ < end; ++done_) {
    throw_if_stopped(settings_.stop);
    visitor.begin(done_, stream());
    network_.run_layer(done_, tokens_, weights_, stream(), &visitor, settings, team_);
    visitor.done(done_);
    state_.save(done_ + 1, stream());
  }
  if (settings_.layers <= network_.layers()) return;
  visitor.begin(done_, stream());
  network_.run_output(stream(), weights_, {}, &visitor, settings, team_);
  visitor.done(done_);
}

}  // namespace sluice::calibrate
