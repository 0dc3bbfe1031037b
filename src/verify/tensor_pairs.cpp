#include "verify/tensor_pairs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "sluice/codec.h"
#include "sluice/error.h"

namespace sluice {
namespace {

void add(FindingList& findings, Fault fault, const io::File& file, const gguf::Tensor& tensor,
         std::string what) {
  findings.add({.fault = fault,
                .file = file.path(),
                .tensor = tensor.name,
                .what = std::move(what),
                .rows = std::nullopt});
}

// Whether a type holds the weights of a source bit for bit.
bool holds(TensorType type, const weights::Weights& weights, const weights::Source& source) {
  if (source.change != weights::Change::none || source.views.empty()) return false;
  if (type == TensorType::f32) return true;  // into which everything is decoded
  return std::ranges::all_of(source.views, [&](const weights::View& view) {
    const weights::Stored& stored = weights.stored[view.stored];
    if (stored.coding == weights::Coding::mxfp4) return type == TensorType::mxfp4;
    return stored.coding == weights::Coding::typed && !stored.scales && stored.type == type;
  });
}

// What is only decoded of a checkpoint can always be.
void require_decodable(const gguf::Tensor& tensor, const io::File& file) {
  if (can_decode(tensor.type)) return;
  throw Error(
      ErrorCode::input_type, fmt::format("type {} cannot be decoded", name(tensor.type)),
      {.file = file.path(), .tensor = tensor.name, .cure = "Check the file without --against"});
}

std::string shape_text(const gguf::Tensor& tensor) {
  return fmt::format("{}", fmt::join(tensor.shape, " x "));
}

}  // namespace

bool scaled_beside(const gguf::Tensor& tensor, std::span<const gguf::Tensor> model) {
  constexpr std::string_view kWeight = ".weight";
  if (tensor.type != TensorType::nvfp4 || !tensor.name.ends_with(kWeight)) return false;
  const std::string scale = tensor.name.substr(0, tensor.name.size() - kWeight.size()) + ".scale";
  return std::ranges::any_of(model, [&](const gguf::Tensor& other) { return other.name == scale; });
}

void set_source(const ModelView& source, std::size_t index, TensorPair& pair) {
  const weights::Place place = weights::place_of(*source.weights, index);
  pair.source = &source.tensors[index];
  pair.source_file = &source.parts[place.part];
  pair.source_offset = place.offset;
  if (!source.published) return;
  const weights::Source& made_of = source.weights->sources[index];
  pair.published = PublishedSource{source.parts, source.weights, &made_of,
                                   holds(pair.tensor->type, *source.weights, made_of)};
}

void set_tensor(const ModelView& output, std::size_t index, TensorPair& pair) {
  const weights::Place place = weights::place_of(*output.weights, index);
  pair.tensor = &output.tensors[index];
  pair.file = &output.parts[place.part];
  pair.offset = place.offset;
}

std::vector<TensorPair> pair_tensors(const ModelView& output, const ModelView* against,
                                     const ImportanceMatrix* imatrix, FindingList& findings) {
  std::map<std::string_view, std::size_t> sources;
  if (against != nullptr) {
    for (std::size_t i = 0; i < against->tensors.size(); ++i) {
      sources.emplace(against->tensors[i].name, i);
    }
  }
  std::vector<TensorPair> pairs;
  for (std::size_t i = 0; i < output.tensors.size(); ++i) {
    TensorPair& pair = pairs.emplace_back();
    set_tensor(output, i, pair);
    if (against == nullptr) continue;
    const auto found = sources.find(pair.tensor->name);
    if (found == sources.end()) {
      add(findings, Fault::extra_tensor, *pair.file, *pair.tensor, "is not in the source");
      continue;
    }
    const gguf::Tensor& source = against->tensors[found->second];
    const std::size_t source_index = found->second;
    sources.erase(found);
    if (source.shape != pair.tensor->shape) {
      add(findings, Fault::shape, *pair.file, *pair.tensor,
          fmt::format("has the shape {}, its source {}", shape_text(*pair.tensor),
                      shape_text(source)));
      continue;
    }
    if (source.type != pair.tensor->type &&
        (scaled_beside(source, against->tensors) || scaled_beside(*pair.tensor, output.tensors))) {
      continue;
    }
    set_source(*against, source_index, pair);
    if (pair.copied() && source.size > pair.tensor->size) {
      add(findings, Fault::shape, *pair.file, *pair.tensor,
          fmt::format("has {} bytes, its source {}", pair.tensor->size, source.size));
    }
    if (pair.copied() || pair.elements() == 0) continue;
    if (!pair.published) require_decodable(source, *pair.source_file);
    require_decodable(*pair.tensor, *pair.file);
    if (imatrix != nullptr) {
      pair.importance = imatrix->find(source.name, pair.row_elements(), pair.experts());
    }
  }
  for (const auto& [name, index] : sources) {
    add(findings, Fault::missing_tensor, output.parts.front(), against->tensors[index],
        "is in the source, but not in the output");
  }
  return pairs;
}

}  // namespace sluice
