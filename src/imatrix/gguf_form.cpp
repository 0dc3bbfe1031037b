#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "imatrix/formats.h"
#include "sluice/error.h"
#include "sluice/gguf.h"

namespace sluice::imatrix {
namespace {

constexpr std::string_view kSums = ".in_sum2";
constexpr std::string_view kCounts = ".counts";

/// The two tensors that describe one weight tensor.
struct Pair {
  const gguf::Tensor* sums = nullptr;
  const gguf::Tensor* counts = nullptr;
};

using Pairs = std::map<std::string_view, Pair>;

/// Pairs up the tensors by the names before their endings. Others (newer files have `.in_sum` too)
/// are left alone.
Pairs pair_up(const std::vector<gguf::Tensor>& tensors) {
  Pairs pairs;
  for (const gguf::Tensor& tensor : tensors) {
    std::string_view name = tensor.name;
    for (const auto& [ending, member] : {std::pair(kSums, &Pair::sums), {kCounts, &Pair::counts}}) {
      if (!name.ends_with(ending)) continue;
      name.remove_suffix(ending.size());
      pairs[name].*member = &tensor;
      break;
    }
  }
  return pairs;
}

gguf::Header parse(std::span<const std::byte> bytes, const std::string& file) {
  try {
    // The prefix is the whole file, so there is no "read more".
    return gguf::parse_header(bytes, bytes.size(), file).value();
  } catch (const Error& error) {
    throw Error(ErrorCode::imatrix_format, error);
  }
}

std::string join(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

ImportanceMatrix::Index index_gguf(std::span<const std::byte> bytes, const std::string& file) {
  const gguf::Header header = parse(bytes, file);
  const auto fail = [&](const std::string& message, std::string_view tensor, std::string cure) {
    throw Error(ErrorCode::imatrix_format, message,
                {.file = file,
                 .tensor = printable(tensor),
                 .offset = header.data_offset,
                 .cure = std::move(cure)});
  };
  ImportanceMatrix::Index index;
  index.gguf = true;
  for (const auto& [name, pair] : pair_up(header.tensors)) {
    constexpr const char* kMakeAnew = "Make the importance matrix anew";
    if (name.empty()) fail("sums or counts without a tensor's name", name, kMakeAnew);
    if (pair.sums == nullptr || pair.counts == nullptr) {
      fail(
          fmt::format("has {} but no {}", pair.sums ? kSums : kCounts, pair.sums ? kCounts : kSums),
          name, kMakeAnew);
    }
    if (pair.sums->type != TensorType::f32 || pair.counts->type != TensorType::f32) {
      fail("its sums and counts are not all F32", name, kMakeAnew);
    }
    const std::uint64_t values = pair.sums->elements();
    const std::uint64_t counts = pair.counts->elements();
    if (values == 0 || counts == 0 || values % counts != 0) {
      fail(fmt::format("{} sums cannot be shared out among {} counts", values, counts), name,
           kMakeAnew);
    }
    index.entries.emplace(name, ImportanceMatrix::Entry{header.data_offset + pair.sums->offset,
                                                        header.data_offset + pair.counts->offset,
                                                        values, counts, 1.0f});
  }
  if (index.entries.empty()) {
    fail("not an importance matrix: a GGUF file without sums of activations (`.in_sum2`)", {},
         "Give the file that llama.cpp's imatrix program wrote, not a model");
  }
  if (const gguf::Value* datasets = header.find("imatrix.datasets")) {
    if (const auto names = datasets->as_strings()) index.dataset = join(*names);
  }
  if (const gguf::Value* chunks = header.find("imatrix.chunk_count")) {
    index.chunks = chunks->as_uint().value_or(0);
  }
  return index;
}

}  // namespace sluice::imatrix
