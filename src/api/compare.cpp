#include "sluice/compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "api/error_totals.h"
#include "api/model_files.h"
#include "base/clocks.h"
#include "base/threads.h"
#include "sluice/error.h"
#include "sluice/used_files.h"
#include "verify/comparer.h"
#include "verify/tensor_pairs.h"

namespace sluice {
namespace {

ComparedSide side_of(const gguf::Tensor& tensor) {
  return {.type = tensor.type, .shape = tensor.shape, .bytes = tensor.size};
}

// Why two tensors of one name cannot be compared; empty if they can.
std::string obstacle(const gguf::Tensor& a, std::span<const gguf::Tensor> model_a,
                     const gguf::Tensor& b, std::span<const gguf::Tensor> model_b) {
  if (a.shape != b.shape) {
    return fmt::format("shapes differ: {} and {}", fmt::join(a.shape, " x "),
                       fmt::join(b.shape, " x "));
  }
  if (a.type == b.type) return {};  // bytes can always be compared
  for (const TensorType type : {a.type, b.type}) {
    if (!can_decode(type)) return fmt::format("{} cannot be decoded", name(type));
  }
  if (scaled_beside(a, model_a) || scaled_beside(b, model_b)) {
    return fmt::format("{} has a scale in a tensor of its own", name(TensorType::nvfp4));
  }
  return {};
}

/// The two models' tensors by name, and those that are to be streamed.
struct Matched {
  std::vector<ComparedTensor> tensors;
  std::vector<TensorPair> pairs;
  std::vector<std::size_t> places;  // of each pair in `tensors`
};

// The bands of one checkpoint are what both are read by.
void refuse_two_checkpoints(const ModelFiles& a, const ModelFiles& b) {
  if (!a.published || !b.published) return;
  throw Error(ErrorCode::input_type, "is a checkpoint, and so is what it is compared with",
              {.file = b.parts.front().path(),
               .cure = "Make a GGUF model of one of them, as with the type F32, and compare that"});
}

Matched match(const ModelFiles& a, const ModelFiles& b) {
  const ModelView view_a = view_of(a);
  const ModelView view_b = view_of(b);
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
    const std::size_t index = found->second;
    in_b.erase(found);
    tensor.b = side_of(y);
    tensor.why_not = obstacle(x, a.model.tensors, y, b.model.tensors);
    if (!tensor.why_not.empty()) continue;
    TensorPair& pair = matched.pairs.emplace_back();
    pair.turned = b.published;
    set_tensor(pair.turned ? view_a : view_b, pair.turned ? i : index, pair);
    set_source(pair.turned ? view_b : view_a, pair.turned ? index : i, pair);
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
  const Stopwatch watch;
  const ModelFiles a = open_model(options.a, options.stop);
  const ModelFiles b = open_model(options.b, options.stop);
  std::vector<UsedFile> files = {{options.trace, "the trace", true}};
  for (const ModelFiles* model : {&a, &b}) {
    for (const io::File& part : model->parts) files.push_back({part.path(), "an input"});
  }
  refuse_shared_files(files);
  refuse_two_checkpoints(a, b);
  Matched matched = match(a, b);
  Comparison comparison;
  PairRun run;
  const std::vector<PairDifference> differences =
      compare_pairs(matched.pairs, options, observer, run);
  for (std::size_t i = 0; i < differences.size(); ++i) {
    ComparedTensor& tensor = matched.tensors[matched.places[i]];
    tensor.difference = differences[i].difference;
    tensor.differing_bytes = differences[i].differing_bytes;
  }
  comparison.tensors = std::move(matched.tensors);
  sum_errors(comparison);
  comparison.read_bytes = run.read_bytes;
  comparison.cached_bytes = run.cached_bytes;
  comparison.wall_s = watch.seconds();
  comparison.io = std::move(run.io);
  comparison.isa = name(options.isa);
  comparison.threads = thread_count(options.threads);
  comparison.shared_spindle = run.shared_spindle;
  return comparison;
}

}  // namespace sluice
