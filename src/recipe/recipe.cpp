#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <span>
#include <tuple>

#include "base/text.h"
#include "recipe/choose_types.h"
#include "recipe/chooser.h"
#include "recipe/fallback.h"
#include "recipe/overrides.h"
#include "recipe/tensor_kind.h"
#include "recipe/type_facts.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice {
namespace {

using recipe::Rule;
using recipe::TensorKind;

void check(const RecipeOptions& options) {
  if (options.file_type == nullptr) {
    throw Error(ErrorCode::usage, "no file type is given",
                {.cure = "Name one, as in `quantize IN.gguf OUT.gguf IQ1_M`"});
  }
  const FileType& wanted = *options.file_type;
  if (!wanted.copy) recipe::check_type(options.mix, wanted.type, "");
  if (!wanted.in(options.mix)) {
    throw Error(
        ErrorCode::usage, fmt::format("{} has no file type {}", name(options.mix), wanted.name),
        {.cure = fmt::format("Use --mix {}",
                             name(wanted.in_llama_cpp ? Mix::llama_cpp : Mix::ik_llama_cpp))});
  }
  for (const recipe::NamedType& named : recipe::named_types(options)) {
    if (*named.type)
      recipe::check_type(options.mix, **named.type, fmt::format(" ({})", named.option));
  }
  for (const auto* rules : {&options.tensor_types, &options.custom_types}) {
    for (const TypeRule& rule : *rules) {
      recipe::check_type(options.mix, rule.type,
                         fmt::format(" (rule {}={})", printable(rule.pattern), name(rule.type)));
    }
  }
}

/// The order in which the peer meets the tensors, as indices: llama.cpp sorts them by layer, then
/// by name, unless it keeps the split; ik_llama.cpp goes through the file.
std::vector<std::size_t> visiting_order(const RecipeOptions& options, RecipeContext context,
                                        const std::vector<gguf::Tensor>& tensors) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (options.mix == Mix::llama_cpp && !context.in_file_order) {
    std::ranges::sort(order, {}, [&](std::size_t i) {
      return std::tuple<int, std::string_view>(recipe::layer_of(tensors[i].name), tensors[i].name);
    });
  }
  return order;
}

/// Low-rank changes to a model, which isn't there for the rules of a mix to look at.
bool is_adapter(const gguf::Header& model) {
  const gguf::Value* sort = model.find("general.type");
  return sort != nullptr && sort->as_string() == "adapter";
}

/// Decides tensor by tensor, in the peer's order.
class Recipe {
 public:
  Recipe(const RecipeOptions& options, const gguf::Header& model, RecipeContext context)
      : options_(options),
        published_(context.published),
        own_(options.file_type->type),
        overrides_(options) {
    // A file type without blocks has no mix, and the peers look at no pattern then.
    mixed_ = info(own_).block_elements > 1;
    if (options.pure) {
      plain_reason_ = "pure";
    } else if (is_adapter(model)) {
      plain_reason_ = "adapter";
    } else if (mixed_) {
      mix_.emplace(options.mix, *options.file_type, context.has_imatrix, model);
    }
  }

  TypeChoice choose(const gguf::Tensor& tensor) {
    if (const std::string_view reason = kept_reason(tensor); !reason.empty()) {
      return {tensor.type, std::string(reason), ImportanceNeed::none, Decider::kept, tensor.type};
    }
    const Rule rule = rule_for(tensor);
    const TensorType type = recipe::fitting_type(options_.mix, rule.type, tensor);
    std::string reason(rule.reason);
    if (type != rule.type) {
      reason += "; " + recipe::misfit_text(rule.type, tensor);
    }
    return {type, std::move(reason),
            recipe::importance_need(options_.mix, recipe::Ftype{options_.file_type->number}, tensor,
                                    type),
            rule.decider, rule.type};
  }

  std::vector<std::string> notes(const gguf::Header& model,
                                 std::span<const TypeChoice> chosen) const {
    return overrides_.notes(model, chosen);
  }

 private:
  std::string_view kept_reason(const gguf::Tensor& tensor) const {
    if (options_.file_type->copy) return "copied";
    if (tensor.elements() == 0) return "kept: empty";
    if (options_.leave_output && tensor.name == "output.weight") return "--leave-output-tensor";
    if (options_.ffn_gate_inp && recipe::is_router(tensor.name)) return {};
    return recipe::kept_reason(options_.mix, tensor);
  }

  Rule rule_for(const gguf::Tensor& tensor) {
    const TensorKind kind = recipe::kind_of(tensor.name);
    if (const auto single = overrides_.for_single(tensor, kind)) return *single;
    if (!mixed_) return published_or({own_, plain_reason_}, tensor);
    if (const auto rule = overrides_.by_tensor_type(tensor)) {
      // ik_llama.cpp asks its mix first, which counts the tensor, and llama.cpp does not.
      if (mix_ && options_.mix == Mix::ik_llama_cpp) mix_->choose(tensor);
      return *rule;
    }
    if (options_.pure) return {own_, plain_reason_};
    const auto custom = overrides_.by_custom_type(tensor);
    if (custom && options_.mix == Mix::llama_cpp) return *custom;
    const Rule rule = published_or(mix_ ? mix_->choose(tensor) : Rule{own_, plain_reason_}, tensor);
    if (custom) return *custom;
    if (mix_ && mix_->facts().tied_output) {
      if (const auto output = overrides_.for_tied_output(kind)) return *output;
    }
    return overrides_.by_kind(kind).value_or(rule);
  }

  /// Blocks as they were published, in place of a type that only takes more room.
  Rule published_or(const Rule& rule, const gguf::Tensor& tensor) const {
    const bool keeps = published_ && !options_.pure && info(tensor.type).block_elements > 1 &&
                       bits_per_weight(rule.type) > bits_per_weight(tensor.type);
    return keeps ? Rule{tensor.type, recipe::kPublishedReason} : rule;
  }

  const RecipeOptions& options_;
  bool published_;
  TensorType own_;
  bool mixed_;
  std::string_view plain_reason_ = recipe::kDefaultReason;  ///< for the own type without a mix
  recipe::Overrides overrides_;
  std::optional<recipe::MixChooser> mix_;
};

std::optional<std::string> published_note(const gguf::Header& model,
                                          std::span<const TypeChoice> chosen) {
  std::uint64_t kept = 0;
  TensorType type{};
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i].rule != recipe::kPublishedReason) continue;
    type = model.tensors[i].type;
    ++kept;
  }
  if (kept == 0) return std::nullopt;
  return fmt::format(
      "{} {} {}, as published: a type of more bits would hold no more (--pure makes all alike)",
      counted(kept, "tensor"), kept == 1 ? "stays" : "stay", name(type));
}

}  // namespace

ChosenTypes choose_types(const RecipeOptions& options, const gguf::Header& model,
                         RecipeContext context) {
  check(options);
  Recipe recipe(options, model, context);
  ChosenTypes chosen;
  chosen.tensors.resize(model.tensors.size());
  for (const std::size_t i : visiting_order(options, context, model.tensors)) {
    chosen.tensors[i] = recipe.choose(model.tensors[i]);
  }
  chosen.notes = recipe.notes(model, chosen.tensors);
  if (auto note = published_note(model, chosen.tensors)) chosen.notes.push_back(*std::move(note));
  return chosen;
}

}  // namespace sluice
