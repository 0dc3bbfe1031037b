#include "gguf/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice::gguf {
namespace {

constexpr std::string_view kNo = "split.no";
constexpr std::string_view kCount = "split.count";
constexpr std::string_view kTensors = "split.tensors.count";
constexpr const char* kCollect = "Put the unchanged parts of one model into one folder";

[[noreturn]] void fail(const std::string& file, const std::string& message,
                       std::string cure = kCollect, std::string tensor = {}) {
  throw Error(ErrorCode::input_format, message,
              {.file = file, .tensor = std::move(tensor), .cure = std::move(cure)});
}

/// A split key's number, or nothing if the key is missing.
std::optional<std::uint64_t> number(const Header& header, std::string_view key,
                                    const std::string& file) {
  const Value* value = header.find(key);
  if (value == nullptr) return std::nullopt;
  const std::optional<std::uint64_t> number = value->as_uint();
  if (!number) fail(file, fmt::format("key '{}' is no unsigned number", key));
  return number;
}

constexpr std::string_view kExtension = ".gguf";

std::string part_ending(std::uint64_t no, std::uint64_t count) {
  return fmt::format("-{:05}-of-{:05}{}", no + 1, count, kExtension);
}

/// Checks that each part is the one that its place demands, and that all tell the same.
void check_agreement(std::span<const Part> parts) {
  std::optional<std::uint64_t> total;
  std::uint64_t found = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& [file, header] = parts[i];
    const Split split = split_of(header, file).value_or(Split{0, 1, {}});
    if (split.count != parts.size() || split.no != i) {
      fail(file, fmt::format("is part {} of {}, but stands as part {} of {}", split.no + 1,
                             split.count, i + 1, parts.size()));
    }
    if (split.tensors && total && *split.tensors != *total) {
      fail(file, fmt::format("announces {} in all parts, but {} announces {}",
                             counted(*split.tensors, "tensor"), parts[0].file, *total));
    }
    if (!total) total = split.tensors;
    found += header.tensors.size();
  }
  if (total && *total != found) {
    fail(parts[0].file, fmt::format("announces {} in all parts, but they have {}",
                                    counted(*total, "tensor"), found));
  }
}

}  // namespace

std::optional<Split> split_of(const Header& header, const std::string& file) {
  const std::optional<std::uint64_t> count = number(header, kCount, file);
  if (count.value_or(0) <= 1) return std::nullopt;
  if (*count > kMostParts) {
    fail(file,
         fmt::format("the model is split into {} parts, more than the format allows", *count));
  }
  const std::optional<std::uint64_t> no = number(header, kNo, file);
  if (!no) fail(file, fmt::format("has '{}', but no '{}'", kCount, kNo));
  if (*no >= *count) fail(file, fmt::format("claims to be part {} of {}", *no + 1, *count));
  return Split{*no, *count, number(header, kTensors, file)};
}

std::vector<std::string> part_files(const std::string& file, const Split& split) {
  const std::string ending = part_ending(split.no, split.count);
  if (!file.ends_with(ending)) {
    fail(file,
         fmt::format("is part {} of {} of a split model, so its name must end in '{}'",
                     split.no + 1, split.count, ending),
         "Give all parts their original names");
  }
  const std::string_view stem = std::string_view(file).substr(0, file.size() - ending.size());
  std::vector<std::string> files;
  for (std::uint64_t no = 0; no < split.count; ++no) {
    files.push_back(part_file(stem, no, split.count));
  }
  return files;
}

std::string part_file(std::string_view stem, std::uint64_t no, std::uint64_t count) {
  return fmt::format("{}{}", stem, part_ending(no, count));
}

std::string stem_of(std::string_view name) {
  if (!name.ends_with(kExtension)) return std::string(name);
  name.remove_suffix(kExtension.size());
  constexpr std::string_view kNumbers = "-00000-of-00000";
  const std::string_view end = name.substr(name.size() - std::min(name.size(), kNumbers.size()));
  const bool numbered = std::ranges::equal(end, kNumbers, [](char c, char shape) {
    return shape == '0' ? c >= '0' && c <= '9' : c == shape;
  });
  if (numbered) name.remove_suffix(kNumbers.size());
  return std::string(name);
}

void set_split(Header& header, std::uint64_t no, std::uint64_t count, std::uint64_t tensors) {
  header.set(kNo, Value::of(static_cast<std::uint16_t>(no)));
  header.set(kCount, Value::of(static_cast<std::uint16_t>(count)));
  header.set(kTensors, Value::of(static_cast<std::int32_t>(tensors)));
}

Model merge_parts(std::span<const Part> parts) {
  check_agreement(parts);
  Model model;
  const Header& first = parts.front().header;
  model.header.version = first.version;
  model.header.alignment = first.alignment;
  model.header.metadata = first.metadata;
  for (const std::string_view key : {kNo, kCount, kTensors}) model.header.erase(key);

  std::map<std::string_view, std::uint32_t> seen;
  for (std::uint32_t i = 0; i < parts.size(); ++i) {
    for (const Tensor& tensor : parts[i].header.tensors) {
      const auto [it, is_new] = seen.emplace(tensor.name, i);
      if (!is_new) {
        fail(parts[i].file, fmt::format("is already in {}", parts[it->second].file), kCollect,
             printable(tensor.name));
      }
      model.header.tensors.push_back(tensor);
      model.parts.push_back(i);
    }
  }
  return model;
}

}  // namespace sluice::gguf
