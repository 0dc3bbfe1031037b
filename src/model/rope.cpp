#include "model/rope.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sluice::model {
namespace {

// The pair that turns `turns` times within the context that the model was first trained with.
double pair_of_turns(double turns, const RopeChoice& choice, double context) {
  return static_cast<double>(choice.dimensions) *
         std::log(context / (turns * 2 * std::numbers::pi)) / (2 * std::log(choice.base));
}

// How much of each pair's frequency YaRN leaves as it is: all of the fast ones, nothing of the
// slow.
std::vector<double> kept_by_yarn(const Metadata& model, const RopeChoice& choice) {
  const auto context = static_cast<double>(trained_context(model));
  const double fast = model.number("rope.scaling.yarn_beta_fast", 32);
  const double slow = model.number("rope.scaling.yarn_beta_slow", 1);
  const double last = static_cast<double>(choice.dimensions) - 1;
  const double low = std::max(0.0, std::floor(pair_of_turns(fast, choice, context)));
  const double high = std::min(last, std::ceil(pair_of_turns(slow, choice, context)));
  std::vector<double> kept(choice.dimensions / 2);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const double ramp = (static_cast<double>(i) - low) / std::max(0.001, high - low);
    kept[i] = 1 - std::clamp(ramp, 0.0, 1.0);
  }
  return kept;
}

double growth(double factor, double share) {
  return factor <= 1 ? 1 : 0.1 * share * std::log(factor) + 1;
}

// YaRN makes attention sharper, the more the more positions are squeezed, but for what the model
// says to be made up for elsewhere.
double yarn_magnitude(const Metadata& model, double factor) {
  const double all = model.number("rope.scaling.yarn_log_multiplier", 0);
  if (all == 0) return growth(factor, 1);
  const double own = model.architecture() == "deepseek2" && all != 1 ? all : 1;
  return growth(factor, own) / growth(factor, all);
}

}  // namespace

std::uint64_t trained_context(const Metadata& model) {
  return model.whole("rope.scaling.original_context_length", model.whole("context_length", 0));
}

RopeChoice rope_choice(const Metadata& model, std::uint64_t head, bool neighbours) {
  const float factor = model.number("rope.scaling.factor", model.number("rope.scale_linear", 0));
  const bool scaled = factor != 0 && model.word("rope.scaling.type", "linear") != "none";
  const RopeChoice choice{.neighbours = neighbours,
                          .dimensions = model.whole("rope.dimension_count", head),
                          .base = model.number("rope.freq_base", 10000),
                          .scale = scaled ? 1 / static_cast<double>(factor) : 1};
  if (choice.dimensions > head || choice.dimensions % 2 != 0 || choice.base <= 0 ||
      choice.scale <= 0) {
    throw model.error(ErrorCode::input_format,
                      fmt::format("rotary positions of {} numbers in heads of {}, with base {} and "
                                  "scaling factor {}, make no sense",
                                  choice.dimensions, head, choice.base, factor));
  }
  return choice;
}

Rope rope_of(const Metadata& model, const RopeChoice& choice) {
  const std::uint64_t pairs = choice.dimensions / 2;
  const bool yarn = model.word("rope.scaling.type", "linear") == "yarn";
  const std::vector<double> kept =
      yarn ? kept_by_yarn(model, choice) : std::vector<double>(pairs, 0.0);
  Rope rope{.neighbours = choice.neighbours,
            .frequencies = {},
            .factors = {},
            .long_factors = {},
            .magnitude = model.number("rope.scaling.attn_factor", 1)};
  for (std::size_t i = 0; i < pairs; ++i) {
    const double exponent = -2 * static_cast<double>(i) / static_cast<double>(choice.dimensions);
    const double frequency = std::pow(choice.base, exponent);
    rope.frequencies.push_back(frequency * (kept[i] + (1 - kept[i]) * choice.scale));
  }
  if (yarn) {
    rope.magnitude *= static_cast<float>(yarn_magnitude(model, 1 / choice.scale));
  }
  return rope;
}

void add_factors(const Metadata& model, std::uint64_t count, Rope& rope) {
  if (model.has("rope_freqs.weight")) {
    rope.factors = model.numbers("rope_freqs.weight", count);
    return;
  }
  rope.factors = model.numbers_if_any("rope_factors_short.weight", count);
  rope.long_factors = model.numbers_if_any("rope_factors_long.weight", count);
  rope.long_beyond = trained_context(model);
}

Turns::Turns(const Rope& rope, WeightStore& weights, std::uint64_t positions)
    : neighbours_(rope.neighbours), pairs_(rope.frequencies.size()) {
  const bool is_long = positions > rope.long_beyond && !rope.long_factors.empty();
  const std::string& name = is_long ? rope.long_factors : rope.factors;
  const std::vector<float> factors =
      name.empty() ? std::vector<float>(pairs_, 1.0F) : weights.numbers(name);
  cosines_.reserve(positions * pairs_);
  sines_.reserve(positions * pairs_);
  for (std::uint64_t p = 0; p < positions; ++p) {
    for (std::size_t i = 0; i < pairs_; ++i) {
      // In long double the last bit of the float below is the same on every machine.
      const long double angle = static_cast<long double>(p) * rope.frequencies[i] / factors[i];
      cosines_.push_back(static_cast<float>(std::cos(angle) * rope.magnitude));
      sines_.push_back(static_cast<float>(std::sin(angle) * rope.magnitude));
    }
  }
}

void Turns::turn(float* head, std::uint64_t position) const {
  const float* const cosines = cosines_.data() + position * pairs_;
  const float* const sines = sines_.data() + position * pairs_;
  const std::size_t step = neighbours_ ? 2 : 1;
  const std::size_t other = neighbours_ ? 1 : pairs_;
  for (std::size_t i = 0; i < pairs_; ++i) {
    float& a = head[step * i];
    float& b = head[step * i + other];
    const float turned = a * cosines[i] - b * sines[i];
    b = a * sines[i] + b * cosines[i];
    a = turned;
  }
}

std::uint64_t Turns::bytes(const Rope& rope, std::uint64_t positions) {
  return 2 * sizeof(float) * positions * rope.frequencies.size();
}

}  // namespace sluice::model
