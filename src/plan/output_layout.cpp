#include "plan/output_layout.h"

#include <fmt/format.h>

#include "base/checked.h"
#include "gguf/split.h"
#include "sluice/error.h"

namespace sluice {
namespace {

constexpr std::string_view kAlignmentKey = "general.alignment";

void check(const SplitOptions& split) {
  const int rules = (split.max_bytes > 0) + (split.max_tensors > 0) + split.keep;
  if (rules > 1) {
    throw Error(ErrorCode::usage, "an output can be split by one rule only",
                {.cure = "Pass one of --split-max-size, --split-max-tensors and --keep-split"});
  }
}

// The index of each file's first tensor. Files without tensors are there only to keep a split that
// has such (models whose first part is all metadata are common).
std::vector<std::size_t> first_tensors(const gguf::Header& model, const SplitOptions& split,
                                       std::span<const std::size_t> input_parts) {
  std::vector<std::size_t> first{0};
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    if (split.keep) {
      while (first.size() <= input_parts[i]) first.push_back(i);
      continue;
    }
    const std::uint64_t size = align_up(model.tensors[i].size, model.alignment);
    const std::size_t tensors = i - first.back();
    const bool full = (split.max_tensors > 0 && tensors == split.max_tensors) ||
                      (split.max_bytes > 0 && tensors > 0 && bytes + size > split.max_bytes);
    if (full) {
      first.push_back(i);
      bytes = 0;
    }
    bytes += size;
  }
  if (first.size() > gguf::kMostParts) {
    throw Error(ErrorCode::usage,
                fmt::format("the output would be split into {} files, more than the {} that the "
                            "format can count",
                            first.size(), gguf::kMostParts),
                {.cure = "Allow larger files"});
  }
  return first;
}

}  // namespace

std::vector<OutputPart> lay_out_parts(gguf::Header& model, const SplitOptions& split,
                                      std::span<const std::size_t> input_parts) {
  check(split);
  gguf::lay_out(model.tensors, model.alignment);  // for the sizes
  const std::vector<std::size_t> first = first_tensors(model, split, input_parts);
  std::vector<OutputPart> parts(first.size());
  std::uint64_t begin = 0;
  for (std::size_t no = 0; no < parts.size(); ++no) {
    OutputPart& part = parts[no];
    part.begin = begin;
    part.first_tensor = first[no];
    part.tensors =
        (no + 1 < parts.size() ? first[no + 1] : model.tensors.size()) - part.first_tensor;
    const auto tensors = std::span(model.tensors).subspan(part.first_tensor, part.tensors);
    const std::uint64_t data_size = gguf::lay_out(tensors, model.alignment);

    gguf::Header header;
    header.alignment = model.alignment;
    header.tensors.assign(tensors.begin(), tensors.end());
    if (no == 0) {
      header.metadata = model.metadata;
    } else if (const gguf::Value* alignment = model.find(kAlignmentKey)) {
      header.set(kAlignmentKey, *alignment);
    }
    if (split.any()) gguf::set_split(header, no, parts.size(), model.tensors.size());
    part.header = gguf::serialize_header(header);
    part.size = part.header.size() + data_size;
    begin = align_up(part.end() + 1, kPartAlignment);
  }
  return parts;
}

}  // namespace sluice
