#include "calibrate/layer_encoder.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/stop.h"
#include "calibrate/feedback_settings.h"
#include "calibrate/router.h"
#include "calibrate/shrinkage.h"

namespace sluice::calibrate {
namespace {

constexpr std::string_view kExperts = "_exps.weight";

bool is_of_experts(const model::Input& input) {
  return input.tensors.front().ends_with(kExperts);
}

// Whether the experts' input is the router's too.
bool is_layers_input(const model::Input& input) {
  return input.tensors.front().find(".ffn_down") == std::string::npos;
}

std::pair<std::string, std::uint64_t> key_of(const model::Input& input) {
  return {input.tensors.front(), input.number};
}

}  // namespace

LayerEncoder::LayerEncoder(const Surroundings& with)
    : with_(with), encoder_(with.plan, with.output, with.settings, with.team) {
  if (with.paired_length == 0) return;
  second_.emplace(SecondProducts::Surroundings{with.plan, with.output, with.settings.isa, with.team,
                                               with.paired_length});
}

template <typename Function>
void LayerEncoder::for_tensors(const model::Input& input, const Function& of) const {
  for (const std::string& name : input.tensors) {
    const auto tensor = with_.index.find(name);
    if (!tensor) continue;
    const Treatment treatment = with_.calibration.treatments[*tensor];
    if (treatment != Treatment::none) of(*tensor, name, treatment);
  }
}

// Whether some of a tensor's matrices are still to be made.
bool LayerEncoder::is_due(std::uint32_t tensor, std::uint64_t first, std::uint64_t end) const {
  const std::uint64_t rows = with_.plan.tensors[tensor].rows_per_expert();
  return !with_.output.has({tensor, first * rows, (end - first) * rows});
}

// Whether experts of the router's layer are still to be made with feedback.
bool LayerEncoder::experts_want(const model::Input& router) const {
  bool want = false;
  for_tensors(experts_of(router),
              [&](std::uint32_t tensor, const std::string&, Treatment treatment) {
                want |= treatment == Treatment::feedback &&
                        is_due(tensor, 0, with_.plan.tensors[tensor].experts());
              });
  return want;
}

bool LayerEncoder::wants(const model::Input& input) {
  bool due = is_router(input) && experts_want(input);
  for_tensors(input, [&](std::uint32_t tensor, const std::string&, Treatment) {
    due |= is_due(tensor, input.number, input.number + 1);
  });
  if (due) {
    const InputPlan& planned = with_.calibration.inputs.at(input.tensors.front());
    sums_.try_emplace(key_of(input), planned.columns, planned.moments, with_.paired_length);
  }
  return due;
}

void LayerEncoder::see_tokens(const model::Input& input, const linear::ConstMatrix& x,
                              const model::TokenRows& tokens) {
  throw_if_stopped(with_.settings.stop);
  sums_.at(key_of(input)).add(x, tokens, with_.settings.isa, with_.team);
  if (second_) seen_ = input;
  with_.output.tick();
}

void LayerEncoder::multiplied(const model::Product& product) {
  if (!second_) return;
  if (seen_ && std::ranges::find(seen_->tensors, product.tensor) != seen_->tensors.end()) {
    make(*seen_);
    seen_.reset();
  }
  const auto tensor = with_.index.find(product.tensor);
  if (!tensor || with_.calibration.treatments[*tensor] == Treatment::none) return;
  second_->replace(*tensor, product);
}

void LayerEncoder::finished(const model::Input& input) {
  make(input);
  if (!second_) return;
  for_tensors(input, [&](std::uint32_t tensor, const std::string&, Treatment) {
    second_->drop(tensor, input.number);
  });
}

void LayerEncoder::make(const model::Input& input) {
  const auto node = sums_.extract(key_of(input));
  if (node.empty()) return;
  InputSums& sums = node.mapped();
  sums.finish(with_.settings.isa, with_.team);
  const std::vector<float> importance = sums.importance();
  encode(input, Treatment::importance, {.importance = importance});
  if (!sums.has_moments()) return;
  if (is_router(input) && experts_want(input)) {
    router_ = copy_of(sums.moments(), with_.team);
    router_lacks_ = sums.lacks();
  }
  bool due = false;
  for_tensors(input, [&](std::uint32_t tensor, const std::string&, Treatment treatment) {
    due |= treatment == Treatment::feedback && is_due(tensor, input.number, input.number + 1);
  });
  if (!due) return;
  shrink(input, sums);
  const linear::Factor factor =
      linear::Factor::of(std::move(sums.moments()), kDamping, with_.settings.isa, with_.team);
  encode(input, Treatment::feedback,
         {.factor = &factor, .lacks = sums.lacks() ? &*sums.lacks() : nullptr});
}

// Shrunk, if the input is of experts: where it is the router's too towards that of all tokens; what an
// expert's hidden units are is its own.
void LayerEncoder::shrink(const model::Input& input, InputSums& sums) {
  if (!is_of_experts(input)) return;
  linear::Moments& moments = sums.moments();
  ++experts_;
  if (moments.tokens < moments.sum.size()) ++scarce_experts_;
  if (is_layers_input(input) && router_ && router_->tokens > 0 &&
      router_->sum.size() == moments.sum.size()) {
    shrink_towards(*router_, moments, with_.team);
    if (sums.lacks()) shrink_towards(*router_lacks_, *sums.lacks());
  } else {
    shrink_towards_diagonal(moments, with_.team);
    if (sums.lacks()) shrink_towards_nothing(*sums.lacks());
  }
}

void LayerEncoder::encode(const model::Input& input, Treatment treatment,
                          const MatrixEncoder::Knowledge& known) {
  for_tensors(input, [&](std::uint32_t tensor, const std::string& name, Treatment its) {
    if (its != treatment || !is_due(tensor, input.number, input.number + 1)) return;
    const std::span<std::byte> kept =
        second_ ? second_->room(tensor, input.number).bytes() : std::span<std::byte>();
    encoder_.encode(tensor, input.number, *with_.weights.matrix(name, input.number), known, kept);
  });
}

void LayerEncoder::done(std::uint64_t) {
  router_.reset();
  router_lacks_.reset();
  with_.output.settle();
}

}  // namespace sluice::calibrate
