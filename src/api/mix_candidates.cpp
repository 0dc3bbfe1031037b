#include "api/mix_candidates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/checked.h"
#include "base/name_patterns.h"
#include "calibrate/treatment.h"
#include "plan/output_size.h"
#include "recipe/candidate_types.h"
#include "recipe/choose_types.h"
#include "sluice/codec.h"

namespace sluice {
namespace {

/// The tensor as rules see it: by its name in the output.
gguf::Tensor ruled(const PlannedTensor& tensor) {
  gguf::Tensor seen;
  seen.name = tensor.name;
  seen.shape = tensor.shape;
  seen.type = tensor.source;
  return seen;
}

std::uint64_t bytes_in(const PlannedTensor& tensor, TensorType type) {
  if (type == tensor.type) return tensor.output_size;
  return byte_size(type, tensor.elements(), tensor.row_elements());
}

bool has_importance(const QuantizeOptions& options, const Prepared& planned, std::size_t tensor) {
  if (options.ignore_imatrix_rules || planned.plan.tensors[tensor].importance != nullptr) {
    return true;
  }
  return planned.calibration &&
         planned.calibration->model.plan.treatments[tensor] != calibrate::Treatment::none;
}

/// Whether weights of the tensor become others in the type.
bool changes(const PlannedTensor& tensor, TensorType type) {
  return type != tensor.source && info(type).block_elements > 1;
}

/// A mix's own file: bytes and divergence; nothing if not all of it is measured, or it needs importance
/// that is not known.
std::optional<MixPoint> mix_point(const QuantizeOptions& options, const Prepared& planned,
                                  const FileType& file_type, const gguf::Header& output,
                                  const measure::Measurements& measured) {
  RecipeOptions recipe = options;
  recipe.file_type = &file_type;
  const ChosenTypes chosen =
      choose_types(recipe, output,
                   {.has_imatrix = planned.imatrix.has_value() || planned.calibration != nullptr,
                    .in_file_order = options.split.keep,
                    .published = planned.files.published});
  MixPoint point{std::string(file_type.name), 0, 0};
  for (const OutputPart& part : planned.plan.parts) point.bytes += part.header.size();
  for (std::size_t i = 0; i < output.tensors.size(); ++i) {
    const TypeChoice& choice = chosen.tensors[i];
    const bool ruins = choice.importance == ImportanceNeed::vital;
    const std::optional<double> cost = cost_of(planned, i, choice.type, measured);
    if (!cost || (ruins && !has_importance(options, planned, i))) return std::nullopt;
    point.bytes += align_up(bytes_in(planned.plan.tensors[i], choice.type), output.alignment);
    point.divergence += *cost;
  }
  return point;
}

}  // namespace

MixChoice candidates_of(const QuantizeOptions& options, const Prepared& planned) {
  recipe::CandidateTypes candidates(options.target, options.mix);
  MixChoice choice;
  std::vector<std::string> without;  // importance values
  for (std::size_t i = 0; i < planned.plan.tensors.size(); ++i) {
    const PlannedTensor& tensor = planned.plan.tensors[i];
    TensorChoice& added = choice.tensors.emplace_back();
    added.name = tensor.name;
    added.kept = tensor.decider == Decider::kept;
    std::vector<TensorType> types = {tensor.type};
    if (tensor.decider == Decider::mix) {
      const bool importance = has_importance(options, planned, i);
      types = candidates.of(ruled(tensor), importance);
      if (!importance && candidates.of(ruled(tensor), true).size() > types.size()) {
        without.push_back(tensor.name);
      }
    } else {
      added.rule = tensor.rule;
    }
    for (const TensorType type : types) {
      // As errors go with bits, as long as nothing is measured.
      const double guess =
          static_cast<double>(tensor.elements()) * std::exp2(-2 * bits_per_weight(type));
      added.types.push_back({type, bytes_in(tensor, type), guess});
    }
    std::ranges::stable_sort(added.types, {}, &TypeCost::bytes);
  }
  choice.notes = candidates.notes();
  if (!without.empty()) {
    choice.notes.push_back(
        fmt::format("{} {} no importance values, and so no type of the fewest bits: --imatrix or "
                    "--calibrate would give them",
                    name_patterns(without), without.size() == 1 ? "has" : "have"));
  }
  return choice;
}

std::vector<measure::Subject> subjects_of(const MixChoice& choice, const Prepared& planned) {
  std::vector<measure::Subject> subjects;
  for (std::size_t i = 0; i < choice.tensors.size(); ++i) {
    const PlannedTensor& tensor = planned.plan.tensors[i];
    measure::Subject subject{.tensor = tensor.model_tensor,
                             .importance = tensor.importance,
                             .bias_correction = tensor.bias_correction};
    for (const TypeCost& type : choice.tensors[i].types) {
      const Codec* codec = find_codec(type.type);
      if (changes(tensor, type.type) && codec != nullptr && codec->encode != nullptr) {
        subject.types.push_back(type.type);
      }
    }
    if (!subject.types.empty()) subjects.push_back(std::move(subject));
  }
  return subjects;
}

std::uint64_t asked_bytes(const MixTarget& target, std::uint64_t weights) {
  std::uint64_t bytes = target.size;
  if (target.bpw > 0)
    bytes = static_cast<std::uint64_t>(target.bpw * static_cast<double>(weights) / 8);
  for (const PlaceTarget& place : target.places) bytes += place.bytes;
  return bytes;
}

mix::OutputFacts output_facts(const QuantizeOptions& options, const Prepared& planned) {
  mix::OutputFacts facts{.alignment = planned.files.model.alignment};
  for (const PlannedTensor& tensor : planned.plan.tensors) facts.weights += tensor.elements();
  facts.header_bytes = header_bytes(planned.plan, options.split, facts.alignment,
                                    asked_bytes(options.target, facts.weights));
  return facts;
}

std::optional<double> cost_of(const Prepared& planned, std::size_t tensor, TensorType type,
                              const measure::Measurements& measured) {
  const PlannedTensor& known = planned.plan.tensors[tensor];
  if (!changes(known, type)) return 0;
  return measured.divergence(planned.files.model.tensors[known.model_tensor].name, type);
}

std::vector<MixPoint> mix_points(const QuantizeOptions& options, const Prepared& planned,
                                 const measure::Measurements& measured) {
  gguf::Header output;
  output.alignment = planned.files.model.alignment;
  output.metadata = planned.files.model.metadata;
  for (const PlannedTensor& tensor : planned.plan.tensors) output.tensors.push_back(ruled(tensor));
  std::vector<MixPoint> points;
  std::vector<std::uint32_t> seen;  // aliases have the same number
  for (const FileType& type : file_types()) {
    if (!type.in(options.mix) || type.copy || info(type.type).block_elements == 1) continue;
    if (std::ranges::find(seen, type.number) != seen.end()) continue;
    seen.push_back(type.number);
    if (auto point = mix_point(options, planned, type, output, measured)) points.push_back(*point);
  }
  std::ranges::stable_sort(points, {}, &MixPoint::bytes);
  return points;
}

}  // namespace sluice
