#include "sluice/mix.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/mix.h"
#include "api/mix_candidates.h"
#include "api/mix_measures.h"
#include "base/name_patterns.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice {
namespace {

// As near as the size is met from below.
constexpr double kNear = 0.995;

/// The only type of a tensor of which nothing is known: the smallest that hardly does harm.
void settle(TensorChoice& tensor) {
  constexpr double kHarmless = 4;  // bits of a weight
  const auto found = std::ranges::find_if(
      tensor.types, [](const TypeCost& type) { return bits_per_weight(type.type) >= kHarmless; });
  const TypeCost kept = found == tensor.types.end() ? tensor.types.back() : *found;
  tensor.types = {{kept.type, kept.bytes}};
  tensor.chosen = 0;
}

/// Fills in what the types cost.
void price(const Prepared& planned, const measure::Measurements& measured, MixChoice& choice) {
  std::vector<std::string> unknown;
  for (std::size_t i = 0; i < choice.tensors.size(); ++i) {
    TensorChoice& tensor = choice.tensors[i];
    bool known = true;
    for (TypeCost& type : tensor.types) {
      const std::optional<double> cost = cost_of(planned, i, type.type, measured);
      known = known && cost;
      type.divergence = cost.value_or(0);
    }
    if (known) continue;
    unknown.push_back(tensor.name);
    settle(tensor);
  }
  if (unknown.empty()) return;
  choice.notes.push_back(fmt::format(
      "of {} nothing could be measured, as running the model does not need {}: no type of fewer "
      "than 4 bits is chosen for {}",
      name_patterns(unknown), unknown.size() == 1 ? "it" : "them",
      unknown.size() == 1 ? "it" : "them"));
}

/// Whether it is for want of importance values that no choice is as small as is asked for.
bool lacks_small_types(const QuantizeOptions& options, const mix::OutputFacts& output,
                       const MixChoice& choice) {
  std::uint64_t smallest = 0;
  for (const TensorChoice& tensor : choice.tensors) smallest += tensor.types.front().bytes;
  return smallest + output.header_bytes > asked_bytes(options.target, output.weights) &&
         options.imatrix.empty() && !options.calibration.given() && !options.ignore_imatrix_rules &&
         options.target.types.empty();
}

/// Refuses a size that cannot be met, or a wrong pattern, before anything is measured.
void check_size(const QuantizeOptions& options, const mix::OutputFacts& output, MixChoice& choice) {
  try {
    mix::choose_for(options.target, output, choice);
  } catch (const Error& error) {
    if (!lacks_small_types(options, output, choice)) throw;
    throw Error(error.code(), error.what(),
                {.cure = "With --imatrix there are types of fewer bits"});
  }
}

bool named_kinds(const KindTypes& kinds) {
  return kinds.attn_q || kinds.attn_k || kinds.attn_v || kinds.attn_qkv || kinds.ffn_gate ||
         kinds.ffn_down || kinds.ffn_up;
}

RecipeOptions recipe_of(const QuantizeOptions& options, const MixChoice& choice) {
  RecipeOptions recipe = mix::recipe_with(options, choice.tensors);
  if (options.file_type != nullptr) {
    recipe.file_type = options.file_type;
  } else if (options.mix == Mix::ik_llama_cpp && named_kinds(options.kinds)) {
    recipe.file_type = find_file_type("Q2_K");  // those of fewer bits look at no kinds
  }
  return recipe;
}

/// What of the bytes comes to nothing.
void note_left(const MixTarget& target, const mix::OutputFacts& output, MixChoice& choice) {
  const auto text = [](std::uint64_t bytes) { return bytes_text(static_cast<double>(bytes)); };
  const std::uint64_t asked = asked_bytes(target, output.weights);
  std::uint64_t used = choice.bytes;
  if (target.size == 0) used -= output.header_bytes;
  if (static_cast<double>(used) >= kNear * static_cast<double>(asked)) return;
  const bool largest = std::ranges::all_of(choice.tensors, [](const TensorChoice& tensor) {
    return tensor.chosen + 1 == tensor.types.size();
  });
  choice.notes.push_back(
      largest ? fmt::format("the largest types that may be chosen take {}, less than the {} that "
                            "there are: nothing is gained by more",
                            text(used), text(asked))
              : fmt::format("the choice takes {} of the {} that there are: larger types of what is "
                            "left do not fit, or gain nothing",
                            text(used), text(asked)));
}

}  // namespace

void check_target(const QuantizeOptions& options) {
  const auto refuse = [](const char* what, const char* cure) {
    throw Error(ErrorCode::usage, what, {.cure = cure});
  };
  if (options.pure) {
    refuse("--pure gives all tensors one type, and a size leaves nothing to it",
           "Leave one of them out");
  }
  const FileType* type = options.file_type;
  if (type != nullptr && (type->copy || info(type->type).block_elements == 1)) {
    refuse("a size asks for a choice of quantized types, and the type that is given has none",
           "Leave the type out, or name one such as Q4_K_M, by which the output then calls itself");
  }
  const MixTarget& target = options.target;
  if ((target.size > 0) + (target.bpw > 0) + !target.places.empty() > 1) {
    refuse("an output has one size: --target-size, --target-bpw or --target", "Pass one of them");
  }
}

MixChoice choose_mix(const QuantizeOptions& options, const Prepared& planned, Observer& observer) {
  MixChoice choice = candidates_of(options, planned);
  const mix::OutputFacts output = output_facts(options, planned);
  check_size(options, output, choice);
  const std::optional<MixText> text = text_of(options, planned);
  const measure::Measurements costs =
      measured(options, planned, text, subjects_of(choice, planned), observer);
  price(planned, costs, choice);
  mix::choose_for(options.target, output, choice);
  choice.mixes = mix_points(options, planned, costs);
  choice.measured = measured_with(options, planned, text);
  choice.file = measurements_file(options);
  choice.recipe = recipe_of(options, choice);
  note_left(options.target, output, choice);
  return choice;
}

GuessedMix guess_mix(const QuantizeOptions& options, const Prepared& planned) {
  MixChoice choice = candidates_of(options, planned);
  check_size(options, output_facts(options, planned), choice);
  choice.recipe = recipe_of(options, choice);
  choice.notes.emplace_back(
      "types are guessed for the size, as not all is measured: the choice will be another");
  measure::MeasuringWork left =
      left_to_measure(options, planned, text_of(options, planned), subjects_of(choice, planned));
  return {.measuring = std::move(left), .choice = std::move(choice)};
}

MixChoice choose_mix(const QuantizeOptions& options, Observer& observer) {
  if (!options.target.given()) {
    throw Error(ErrorCode::usage, "no size is given",
                {.cure = "Pass --target-size 100G, --target-bpw 2.1 or --target"});
  }
  check_target(options);
  Prepared prepared;
  prepare_for_choice(options, prepared);
  return choose_mix(options, prepared, observer);
}

void tell_choice(const MixChoice& choice, std::string_view how, Plan& plan) {
  for (std::size_t i = 0; i < choice.tensors.size(); ++i) {
    const TensorChoice& tensor = choice.tensors[i];
    if (!tensor.kept && tensor.rule.empty()) {
      plan.tensors[i].rule = fmt::format("{} for the size", how);
    }
  }
  plan.notes.insert(plan.notes.end(), choice.notes.begin(), choice.notes.end());
}

}  // namespace sluice
