#include "verify/tensor_pairs.h"

#include <fmt/format.h>

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

std::string shape_text(const gguf::Tensor& tensor) {
  return fmt::format("{}", fmt::join(tensor.shape, " x "));
}

}  // namespace

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
    pair.tensor = &output.tensors[i];
    pair.file = &output.parts[output.locations[i].part];
    pair.offset = output.locations[i].file_offset;
    if (against == nullptr) continue;
    const auto found = sources.find(pair.tensor->name);
    if (found == sources.end()) {
      add(findings, Fault::extra_tensor, *pair.file, *pair.tensor, "is not in the source");
      continue;
    }
    const gguf::Tensor& source = against->tensors[found->second];
    const TensorLocation& location = against->locations[found->second];
    sources.erase(found);
    if (source.shape != pair.tensor->shape) {
      add(findings, Fault::shape, *pair.file, *pair.tensor,
          fmt::format("has the shape {}, its source {}", shape_text(*pair.tensor),
                      shape_text(source)));
      continue;
    }
    // NVFP4 weights are scaled once more, by a number that other tensors hold.
    if (source.type != pair.tensor->type &&
        (source.type == TensorType::nvfp4 || pair.tensor->type == TensorType::nvfp4)) {
      continue;
    }
    pair.source = &source;
    pair.source_file = &against->parts[location.part];
    pair.source_offset = location.file_offset;
    if (pair.copied() && source.size > pair.tensor->size) {
      add(findings, Fault::shape, *pair.file, *pair.tensor,
          fmt::format("has {} bytes, its source {}", pair.tensor->size, source.size));
    }
    if (pair.copied() || pair.elements() == 0) continue;
    for (const auto& [side, file] :
         {std::pair(&source, pair.source_file), std::pair(pair.tensor, pair.file)}) {
      if (!can_decode(side->type)) {
        throw Error(ErrorCode::input_type,
                    fmt::format("type {} cannot be decoded", name(side->type)),
                    {.file = file->path(),
                     .tensor = side->name,
                     .cure = "Check the file without --against"});
      }
    }
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
