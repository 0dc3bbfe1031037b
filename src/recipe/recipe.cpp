#include "sluice/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <numeric>
#include <tuple>

#include "recipe/fallback.h"
#include "recipe/iq1_m_mix.h"
#include "recipe/tensor_kind.h"
#include "sluice/error.h"

namespace sluice {
namespace {

using recipe::Rule;
using Rules = std::function<Rule(const gguf::Tensor&)>;

/// Types from this number on are unknown to llama.cpp.
constexpr std::uint32_t kFirstIkOnlyType = 133;

void check(const RecipeOptions& options) {
  if (options.file_type == nullptr) {
    throw Error(ErrorCode::usage, "no file type is given",
                {.cure = "Name one, as in `quantize IN.gguf OUT.gguf IQ1_M`"});
  }
  const FileType& wanted = *options.file_type;
  if (options.mix == Mix::llama_cpp &&
      static_cast<std::uint32_t>(wanted.type) >= kFirstIkOnlyType) {
    throw Error(ErrorCode::usage, fmt::format("llama.cpp cannot load {} tensors", wanted.name),
                {.cure = "Use --mix ik_llama.cpp, and load the model there"});
  }
  if (!options.pure && !wanted.has_mix) {
    throw Error(ErrorCode::usage, fmt::format("there is no mix for {}", wanted.name),
                {.cure = "Add --pure to give every tensor this type"});
  }
}

Rules rules_for(const RecipeOptions& options, const gguf::Header& model) {
  if (options.pure) {
    return [type = options.file_type->type](const gguf::Tensor&) { return Rule{type, "pure"}; };
  }
  if (options.file_type->type == TensorType::iq1_m) {
    return [mix = recipe::Iq1mMix(options.mix, recipe::read_model_facts(model))](
               const gguf::Tensor& tensor) mutable { return mix.choose(tensor); };
  }
  return [type = options.file_type->type](const gguf::Tensor&) { return Rule{type, "default"}; };
}

/// The number of the block that a tensor belongs to, or -1.
int layer_of(std::string_view name) noexcept {
  constexpr std::string_view kPrefix = "blk.";
  int layer = -1;
  if (name.starts_with(kPrefix)) {
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), layer);
  }
  return layer;
}

/// The order in which the peer meets the tensors, as indices: llama.cpp sorts them by layer, then
/// by name; ik_llama.cpp goes through the file.
std::vector<std::size_t> visiting_order(Mix mix, const std::vector<gguf::Tensor>& tensors) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (mix == Mix::llama_cpp) {
    std::ranges::sort(order, {}, [&](std::size_t i) {
      return std::tuple<int, std::string_view>(layer_of(tensors[i].name), tensors[i].name);
    });
  }
  return order;
}

/// The peers refuse to write these types without an importance matrix, except for the embedding
/// and the output, for which matrices have no rows as a rule.
bool needs_importance(Mix mix, const gguf::Tensor& tensor, TensorType type) noexcept {
  if (type == tensor.type) return false;  // copied
  switch (recipe::kind_of(tensor.name)) {
    case recipe::TensorKind::output:
    case recipe::TensorKind::token_embd:
      return false;
    case recipe::TensorKind::per_layer_token_embd:
      if (mix == Mix::llama_cpp) return false;
      break;
    default:
      break;
  }
  switch (type) {
    case TensorType::iq1_s:
    case TensorType::iq1_m:
    case TensorType::iq2_xxs:
    case TensorType::iq2_xs:
    case TensorType::iq2_s:
      return true;
    case TensorType::iq3_xxs:
      return mix == Mix::llama_cpp;
    default:
      return false;
  }
}

TypeChoice choose(Mix mix, const gguf::Tensor& tensor, const Rules& rules) {
  if (const auto reason = recipe::kept_reason(mix, tensor); !reason.empty()) {
    return {tensor.type, std::string(reason), false};
  }
  const Rule rule = rules(tensor);
  const TensorType type = recipe::fitting_type(mix, rule.type, tensor.row_elements());
  std::string reason(rule.reason);
  if (type != rule.type) {
    reason += fmt::format("; rows of {} are no whole blocks of {}", tensor.row_elements(),
                          name(rule.type));
  }
  return {type, std::move(reason), needs_importance(mix, tensor, type)};
}

}  // namespace

std::vector<TypeChoice> choose_types(const RecipeOptions& options, const gguf::Header& model) {
  check(options);
  const Rules rules = rules_for(options, model);
  std::vector<TypeChoice> choices(model.tensors.size());
  for (const std::size_t i : visiting_order(options.mix, model.tensors)) {
    choices[i] = choose(options.mix, model.tensors[i], rules);
  }
  return choices;
}

}  // namespace sluice
