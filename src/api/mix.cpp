#include "sluice/mix.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/mix.h"
#include "api/mix_candidates.h"
#include "api/mix_measures.h"
#include "base/checked.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice {
namespace {

// As near as the size is met from below.
constexpr double kNear = 0.995;

/// Fills in what the types cost.
void price(const Prepared& planned, const measure::Measurements& measured, MixChoice& choice) {
  for (std::size_t i = 0; i < choice.tensors.size(); ++i) {
    for (TypeCost& type : choice.tensors[i].types) {
      type.divergence = cost_of(planned, i, type.type, measured).value_or(0);
    }
  }
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
  // A size that cannot be met, or a wrong pattern, is told before anything is measured.
  mix::choose_for(options.target, output, choice);
  const measure::Measurements costs =
      measured(options, planned, subjects_of(choice, planned), observer);
  price(planned, costs, choice);
  mix::choose_for(options.target, output, choice);
  choice.mixes = mix_points(options, planned, costs);
  choice.measured = measured_with(options, planned);
  choice.file = measurements_file(options);
  choice.recipe = mix::recipe_with(options, choice.tensors);
  if (options.file_type != nullptr) choice.recipe.file_type = options.file_type;
  note_left(options.target, output, choice);
  return choice;
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

void tell_choice(const MixChoice& choice, Plan& plan) {
  for (std::size_t i = 0; i < choice.tensors.size(); ++i) {
    const TensorChoice& tensor = choice.tensors[i];
    if (!tensor.kept && tensor.rule.empty()) plan.tensors[i].rule = "chosen for the size";
  }
  plan.notes.insert(plan.notes.end(), choice.notes.begin(), choice.notes.end());
}

}  // namespace sluice
