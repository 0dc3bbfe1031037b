#include "measure/text_subjects.h"

#include <algorithm>
#include <utility>

#include "calibrate/matrix_map.h"
#include "measure/model_parts.h"
#include "sluice/codec.h"

namespace sluice::measure {
namespace {

// The type that a tensor is run with: far enough off that rounding of sums does not count, and near enough
// that its change is in proportion to its error.
TensorType run_type_of(std::uint64_t columns) {
  if (columns % info(TensorType::iq2_xxs).block_elements == 0) return TensorType::iq2_xxs;
  if (columns % info(TensorType::q4_0).block_elements == 0) return TensorType::q4_0;
  return TensorType::bf16;
}

bool has_all(const Measurements& found, const std::optional<TextSubject>& subject) {
  if (!subject) return true;
  const auto known = found.tensors.find(subject->name);
  return known != found.tensors.end() && std::ranges::all_of(subject->types, [&](TensorType type) {
           return known->second.errors.contains(type);
         });
}

/// Makes subjects of tensors by their names.
class SubjectsByName {
 public:
  SubjectsByName(const TextRequest& request, const Measurements& known)
      : request_(request), known_(known), map_(request.request.model) {
    for (const Subject& subject : request.request.subjects) {
      by_name_[map_.tensor(subject.tensor).name] = &subject;
    }
  }

  std::optional<TextSubject> find(const std::string& name) const {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return std::nullopt;
    const std::size_t tensor = found->second->tensor;
    const std::string_view stem = stem_of(name);
    TextSubject subject{
        .subject = found->second,
        .name = name,
        .kind = stem.empty() ? name : std::string(stem),
        .types = found->second->types,
        .run_type = run_type_of(map_.columns(tensor)),
        .columns = map_.columns(tensor),
        .rows = map_.rows(tensor),
        .matrices = map_.matrices(tensor),
        .bf16 = request_.request.settings.via_bf16 && map_.tensor(tensor).type == TensorType::bf16};
    const auto add = [&](TensorType type) {
      if (std::ranges::find(subject.types, type) == subject.types.end()) {
        subject.types.push_back(type);
      }
    };
    add(subject.run_type);
    if (const auto known = known_.tensors.find(name); known != known_.tensors.end()) {
      for (const auto& [type, error] : known->second.errors) add(type);
    }
    return subject;
  }

 private:
  const TextRequest& request_;
  const Measurements& known_;
  calibrate::MatrixMap map_;
  std::map<std::string, const Subject*> by_name_;
};

// Groups of 1, 1, 2, 4, 8, ... layers, and the last layer.
std::vector<std::size_t> groups_of(std::uint64_t layers) {
  std::vector<std::size_t> group_of;
  std::size_t group = 0;
  for (std::uint64_t end = 1; group_of.size() < layers; end *= 2, ++group) {
    group_of.resize(std::min(end, layers), group);
  }
  if (layers > 1 && group_of[layers - 1] == group_of[layers - 2]) group_of.back() = group;
  return group_of;
}

std::vector<std::string> matrices_of(const model::Network& network, std::uint64_t layer) {
  std::vector<std::string> names;
  for (const auto& together : network.inputs_of(layer)) {
    for (const model::Input& input : together) {
      for (const std::string& name : input.tensors) {
        // Heads come one by one.
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
      }
    }
  }
  return names;
}

}  // namespace

TextSubjects::TextSubjects(const TextRequest& request, const Measurements& known) {
  const SubjectsByName by_name(request, known);
  const auto add_kind = [&](const std::string& kind) {
    if (std::ranges::find(kinds_, kind) == kinds_.end()) kinds_.push_back(kind);
  };
  for (std::uint64_t layer = 0; layer < request.network.layers(); ++layer) {
    std::vector<TextSubject>& subjects = layers_.emplace_back();
    for (const std::string& name : matrices_of(request.network, layer)) {
      if (const auto subject = by_name.find(name)) {
        subjects.push_back(*subject);
        add_kind(subject->kind);
      }
    }
    singles_ = std::max(singles_, subjects.size());
  }
  group_of_ = groups_of(request.network.layers());
  groups_ = group_of_.empty() ? 0 : group_of_.back() + 1;
  embedding_ = by_name.find(kEmbeddingName);
  if (embedding_) {
    add_kind(embedding_->kind);
    singles_ = std::max(singles_, layers_.front().size() + 1);
  }
  output_ = by_name.find(matrices_of(request.network, request.network.layers()).front());
}

std::size_t TextSubjects::kind_of(const TextSubject& subject) const {
  return static_cast<std::size_t>(std::ranges::find(kinds_, subject.kind) - kinds_.begin());
}

std::vector<std::size_t> TextSubjects::running_on(const TextSubject& subject,
                                                  std::optional<std::uint64_t> layer) const {
  const std::size_t kinds = first_to_run_on() + 1;
  std::vector<std::size_t> variants{first_to_run_on(), kinds + kind_of(subject)};
  if (layer) variants.push_back(kinds + kinds_.size() + group_of(*layer));
  return variants;
}

bool TextSubjects::empty() const {
  return kinds_.empty() && !output_;
}

bool TextSubjects::all_in(const Measurements& found, std::uint64_t layers) const {
  for (std::uint64_t layer = 0; layer < layers; ++layer) {
    for (const TextSubject& subject : layers_[layer]) {
      if (!has_all(found, subject)) return false;
    }
  }
  return layers == 0 || has_all(found, embedding_);
}

bool TextSubjects::all_in(const Measurements& found) const {
  return found.divergence_per_change > 0 && all_in(found, layers_.size()) &&
         has_all(found, output_);
}

}  // namespace sluice::measure
