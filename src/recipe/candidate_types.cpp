#include "recipe/candidate_types.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "recipe/fallback.h"
#include "recipe/type_facts.h"
#include "sluice/error.h"

namespace sluice::recipe {
namespace {

using Type = TensorType;

// Q2_K is for tensors without importance values, which have no other of so few bits; with Q3_K, which
// is never much better than IQ3_S, the mixes of k-quants can be foretold beside the choice.
constexpr std::array kLlamaCppTypes = {
    Type::iq1_s, Type::iq1_m, Type::iq2_xxs, Type::iq2_xs, Type::iq2_s, Type::q2_k, Type::iq3_xxs,
    Type::iq3_s, Type::q3_k,  Type::iq4_xs,  Type::q4_k,   Type::q5_k,  Type::q6_k, Type::q8_0};
// Those that are below the line between their neighbours in bits and divergence, with error feedback or
// without (bench/notes/choices.md).
constexpr std::array kIkLlamaCppTypes = {Type::iq1_s,  Type::iq1_m,   Type::iq1_kt,  Type::iq2_xxs,
                                         Type::iq2_kt, Type::iq2_xs,  Type::iq2_k,   Type::iq2_s,
                                         Type::q2_k,   Type::iq2_kl,  Type::iq3_xxs, Type::iq3_ks,
                                         Type::iq3_k,  Type::iq4_kss, Type::iq4_xs,  Type::iq4_k,
                                         Type::iq5_ks, Type::iq5_k,   Type::iq6_k,   Type::q8_0};

bool is_quantized(const gguf::Tensor& tensor) {
  return info(tensor.type).block_elements > 1;
}

}  // namespace

std::span<const TensorType> usual_types(Mix mix) noexcept {
  if (mix == Mix::llama_cpp) return kLlamaCppTypes;
  return kIkLlamaCppTypes;
}

CandidateTypes::CandidateTypes(const MixTarget& target, Mix mix)
    : mix_(mix), types_(target.types), usual_(target.types.empty()) {
  if (usual_) types_.assign(usual_types(mix).begin(), usual_types(mix).end());
  for (const TensorType type : types_) check_type(mix, type, " (--types)");
  for (const TypeBound& bound : target.at_least) {
    bounds_.push_back({"--at-least", true, bound, Pattern(bound.pattern)});
  }
  for (const TypeBound& bound : target.at_most) {
    bounds_.push_back({"--at-most", false, bound, Pattern(bound.pattern)});
  }
}

std::string CandidateTypes::text_of(const Bound& bound) {
  return fmt::format("{} {}={}", bound.option, printable(bound.bound.pattern),
                     name(bound.bound.type));
}

bool CandidateTypes::within_bounds(const gguf::Tensor& tensor, TensorType type) {
  bool within = true;
  for (Bound& bound : bounds_) {
    if (!bound.pattern.found_in(tensor.name)) continue;
    bound.used = true;
    const double bits = bits_per_weight(type);
    const double limit = bits_per_weight(bound.bound.type);
    within = within && (bound.least ? bits >= limit : bits <= limit);
  }
  return within;
}

std::vector<TensorType> CandidateTypes::of(const gguf::Tensor& tensor, bool has_importance) {
  std::vector<TensorType> types;
  const auto add = [&](TensorType type) {
    if (within_bounds(tensor, type) && std::ranges::find(types, type) == types.end()) {
      types.push_back(type);
    }
  };
  bool lacks_importance = false;
  for (const TensorType asked : types_) {
    const TensorType type = fitting_type(mix_, asked, tensor);
    if (is_quantized(tensor) && bits_per_weight(type) >= bits_per_weight(tensor.type)) continue;
    const bool vital = importance_need(mix_, Ftype::q2_k, tensor, type) == ImportanceNeed::vital;
    lacks_importance = lacks_importance || (vital && !has_importance);
    if (has_importance || !vital) add(type);
  }
  if (is_quantized(tensor) && loads(mix_, tensor.type) && (usual_ || types.empty())) {
    add(tensor.type);
  }
  if (types.empty()) refuse(tensor, lacks_importance);
  std::ranges::stable_sort(types, {}, bits_per_weight);
  return types;
}

void CandidateTypes::refuse(const gguf::Tensor& tensor, bool lacks_importance) const {
  std::vector<std::string> reasons;
  if (lacks_importance) reasons.emplace_back("its importance values are not known");
  if (is_quantized(tensor)) reasons.push_back(fmt::format("it is {} already", name(tensor.type)));
  for (const Bound& bound : bounds_) {
    if (bound.pattern.found_in(tensor.name)) reasons.push_back(text_of(bound));
  }
  std::vector<std::string_view> names;
  for (const TensorType type : types_) names.push_back(name(type));
  throw Error(ErrorCode::usage,
              fmt::format("it can have none of the types {}: {}", fmt::join(names, " "),
                          fmt::join(reasons, ", ")),
              {.tensor = tensor.name,
               .cure = lacks_importance
                           ? "Give an importance matrix that has it, or more types with --types"
                           : "Widen --types, --at-least or --at-most"});
}

std::vector<std::string> CandidateTypes::notes() const {
  std::vector<std::string> notes;
  for (const Bound& bound : bounds_) {
    if (bound.used) continue;
    notes.push_back(text_of(bound) + " concerns no tensor whose type is chosen");
  }
  return notes;
}

}  // namespace sluice::recipe
