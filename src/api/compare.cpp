#include "sluice/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>

#include "api/model_files.h"
#include "base/threads.h"
#include "verify/comparer.h"
#include "verify/tensor_pairs.h"

namespace sluice {
namespace {

ComparedSide side_of(const gguf::Tensor& tensor) {
  return {.type = tensor.type, .shape = tensor.shape, .bytes = tensor.size};
}

// Why two tensors of one name cannot be compared; empty if they can.
std::string obstacle(const gguf::Tensor& a, const gguf::Tensor& b) {
  if (a.shape != b.shape) {
    return fmt::format("shapes differ: {} and {}", fmt::join(a.shape, " x "),
                       fmt::join(b.shape, " x "));
  }
  if (a.type == b.type) return {};  // bytes can always be compared
  for (const TensorType type : {a.type, b.type}) {
    // NVFP4 weights are scaled once more, by a number that other tensors hold.
    if (!can_decode(type) || type == TensorType::nvfp4) {
      return fmt::format("{} cannot be decoded alone", name(type));
    }
  }
  return {};
}

/// The two models' tensors by name, and those that are to be streamed.
struct Matched {
  std::vector<ComparedTensor> tensors;
  std::vector<TensorPair> pairs;
  std::vector<std::size_t> places;  // of each pair in `tensors`
};

Matched match(const ModelFiles& a, const ModelFiles& b) {
  std::map<std::string_view, std::size_t> in_b;
  for (std::size_t i = 0; i < b.model.tensors.size(); ++i) {
    in_b.emplace(b.model.tensors[i].name, i);
  }
  Matched matched;
  for (std::size_t i = 0; i < a.model.tensors.size(); ++i) {
    const gguf::Tensor& x = a.model.tensors[i];
    ComparedTensor& tensor = matched.tensors.emplace_back();
    tensor.name = x.name;
    tensor.a = side_of(x);
    const auto found = in_b.find(x.name);
    if (found == in_b.end()) {
      tensor.why_not = "only in a";
      continue;
    }
    const gguf::Tensor& y = b.model.tensors[found->second];
    const TensorLocation& place = b.locations[found->second];
    in_b.erase(found);
    tensor.b = side_of(y);
    tensor.why_not = obstacle(x, y);
    if (!tensor.why_not.empty()) continue;
    TensorPair& pair = matched.pairs.emplace_back();
    pair.tensor = &y;
    pair.file = &b.parts[place.part];
    pair.offset = place.file_offset;
    pair.source = &x;
    pair.source_file = &a.parts[a.locations[i].part];
    pair.source_offset = a.locations[i].file_offset;
    matched.places.push_back(matched.tensors.size() - 1);
  }
  for (const gguf::Tensor& y : b.model.tensors) {
    if (!in_b.contains(y.name)) continue;
    ComparedTensor& tensor = matched.tensors.emplace_back();
    tensor.name = y.name;
    tensor.b = side_of(y);
    tensor.why_not = "only in b";
  }
  return matched;
}

}  // namespace

bool Comparison::complete() const {
  return std::all_of(tensors.begin(), tensors.end(),
                     [](const ComparedTensor& tensor) { return tensor.compared(); });
}

bool Comparison::identical() const {
  return std::all_of(tensors.begin(), tensors.end(), [](const ComparedTensor& tensor) {
    return tensor.differing_bytes == std::uint64_t{0};
  });
}

Comparison compare(const CompareOptions& options, Observer& observer) {
  const auto start = std::chrono::steady_clock::now();
  const ModelFiles a = open_model(options.a);
  const ModelFiles b = open_model(options.b);
  Matched matched = match(a, b);
  Comparison comparison;
  std::vector<PairDifference> differences = compare_pairs(
      matched.pairs,
      {.threads = thread_count(options.threads), .memory = options.memory, .isa = options.isa},
      observer, comparison.read_bytes);
  for (std::size_t i = 0; i < differences.size(); ++i) {
    ComparedTensor& tensor = matched.tensors[matched.places[i]];
    tensor.difference = differences[i].difference;
    tensor.differing_bytes = differences[i].differing_bytes;
  }
  comparison.tensors = std::move(matched.tensors);
  comparison.wall_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return comparison;
}

}  // namespace sluice
