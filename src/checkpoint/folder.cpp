#include "checkpoint/folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <unordered_map>

#include "base/json_pieces.h"
#include "base/text.h"
#include "sluice/error.h"

namespace sluice::checkpoint {
namespace {

constexpr std::string_view kWeightsEnd = ".safetensors";
constexpr std::string_view kOnlyPart = "model.safetensors";
constexpr const char* kGetIndexAgain = "Download the index again";
constexpr const char* kGetParts = "Finish the download: all parts belong into one folder";

[[noreturn]] void refuse_folder(const std::string& folder, const std::string& message,
                                std::string cure) {
  throw Error(ErrorCode::input_open, message, {.file = folder, .cure = std::move(cure)});
}

/// A part's name is opened within the folder: it must not lead out of it.
bool is_plain_part(std::string_view file) {
  return file.ends_with(kWeightsEnd) && file.find('/') == file.npos && is_plain_utf8(file);
}

class IndexEvents : public JsonEvents {
 public:
  IndexEvents(const std::string& file, Index& index)
      : JsonEvents(file, kGetIndexAgain), index_(index) {}

  bool complete() const { return has_map_; }

 private:
  bool in_map() const { return depth() == 2 && at(1) == "weight_map"; }

  void opened(bool object) override {
    if (in_map() && object) has_map_ = true;
  }
  void closed() override {}
  void scalar(Json value) override {
    if (!in_map()) return;
    std::string part = as_text(value).value_or("?");
    if (!is_plain_part(part)) {
      refuse(fmt::format("the part '{}' is no name of a safetensors file", printable(part)));
    }
    if (!index_.parts.emplace(at(2), std::move(part)).second) {
      refuse("the index has this name twice");
    }
  }

  [[noreturn]] void refuse(const std::string& message) const {
    throw Error(ErrorCode::input_format, message,
                {.file = file(), .tensor = printable(at(2)), .cure = kGetIndexAgain});
  }

  Index& index_;
  bool has_map_ = false;
};

bool holds(std::span<const std::string> files, std::string_view name) {
  return std::ranges::find(files, name) != files.end();
}

/// \throws Error (input_open) naming the first few of the files that are not there
void expect_all(const std::string& folder, std::span<const std::string> files,
                const std::set<std::string>& wanted) {
  constexpr std::size_t kNamed = 5;
  std::vector<std::string> missing;
  for (const std::string& file : wanted) {
    if (!holds(files, file)) missing.push_back(visible(file));
  }
  if (missing.empty()) return;
  const std::size_t count = missing.size();
  missing.resize(std::min(count, kNamed));
  refuse_folder(
      folder,
      fmt::format("{} of {} parts {} missing: {}{}", count, wanted.size(),
                  count == 1 ? "is" : "are", fmt::join(missing, ", "), count > kNamed ? ", …" : ""),
      kGetParts);
}

constexpr std::string_view kMistralsOwn = "consolidated";

[[noreturn]] void refuse_mistrals_own(const std::string& folder) {
  refuse_folder(folder, "there are weights in Mistral's own format only (consolidated*)",
                "Take the repository's model*.safetensors, which hold the same");
}

bool is_unfinished(const std::string& file) {
  constexpr std::string_view kEnds[] = {".incomplete", ".part", ".aria2", ".crdownload"};
  return file.find(kWeightsEnd) != file.npos &&
         std::ranges::any_of(kEnds, [&](std::string_view end) { return file.ends_with(end); });
}

[[noreturn]] void refuse_without_weights(const std::string& folder,
                                         std::span<const std::string> files) {
  if (const auto pickle = std::ranges::find_if(files, is_pickle); pickle != files.end()) {
    refuse_pickle(folder, *pickle);
  }
  const auto is_own = [](const std::string& file) { return file.starts_with(kMistralsOwn); };
  if (std::ranges::any_of(files, is_own)) refuse_mistrals_own(folder);
  if (const auto part = std::ranges::find_if(files, is_unfinished); part != files.end()) {
    refuse_folder(folder, fmt::format("the download is not finished: {}", printable(*part)),
                  kGetParts);
  }
  refuse_folder(folder, "there are no weights: no file model*.safetensors",
                "Name a folder that holds a checkpoint, or a GGUF file");
}

}  // namespace

std::vector<std::string> siblings(const std::string& file) {
  constexpr std::string_view kOf = "-of-";
  constexpr std::size_t kDigits = 5;
  const std::size_t of = file.rfind(kOf);
  if (of == file.npos || of < kDigits + 1 ||
      file.size() != of + kOf.size() + kDigits + kWeightsEnd.size()) {
    return {file};
  }
  const char* const digits = file.data() + of + kOf.size();
  unsigned count = 0;
  if (std::from_chars(digits, digits + kDigits, count).ptr != digits + kDigits) return {file};
  std::vector<std::string> names;
  for (unsigned i = 1; i <= count; ++i) {
    names.push_back(fmt::format("{}{:05}{}", file.substr(0, of - kDigits), i, file.substr(of)));
  }
  return names;
}

bool names_checkpoint(std::string_view path) {
  return path.ends_with(".safetensors") || path.ends_with(".safetensors.index.json");
}

bool is_pickle(std::string_view file) {
  constexpr std::string_view kEnds[] = {".bin", ".pth", ".pt", ".ckpt"};
  return std::ranges::any_of(kEnds, [&](std::string_view end) { return file.ends_with(end); });
}

void refuse_pickle(const std::string& where, std::string_view file) {
  refuse_folder(where,
                fmt::format("the weights are pickles, which may run any code when they are read "
                            "({})",
                            printable(file)),
                "Take the safetensors of the same model, or make them with transformers: "
                "save_pretrained(FOLDER, safe_serialization=True)");
}

Index parse_index(std::string_view text, const std::string& file) {
  Index index;
  IndexEvents events(file, index);
  read_json(text, events);
  if (!events.complete()) {
    throw Error(ErrorCode::input_format, "the index has no 'weight_map'",
                {.file = file, .cure = kGetIndexAgain});
  }
  return index;
}

std::vector<std::string> part_files(const std::string& folder, std::span<const std::string> files,
                                    const std::optional<Index>& index, std::string_view part) {
  std::set<std::string> wanted;
  if (index) {
    for (const auto& [tensor, file] : index->parts) wanted.insert(file);
  }
  if (part.starts_with(kMistralsOwn)) refuse_mistrals_own(folder);
  if (!part.empty() && !wanted.contains(std::string(part))) {
    const std::vector<std::string> all = siblings(std::string(part));
    wanted = {all.begin(), all.end()};
  } else if (!index && holds(files, kOnlyPart)) {
    wanted.emplace(kOnlyPart);  // and no model.fp16.safetensors, the same in another type
  } else if (!index) {
    // Other sets beside it, as Mistral's consolidated*, hold the same weights once more.
    for (const std::string& file : files) {
      if (!file.starts_with("model") || !is_plain_part(file)) continue;
      wanted.insert(file);
      wanted.merge([&] {
        const std::vector<std::string> all = siblings(file);
        return std::set(all.begin(), all.end());
      }());
    }
  }
  if (wanted.empty()) refuse_without_weights(folder, files);
  expect_all(folder, files, wanted);
  return {wanted.begin(), wanted.end()};
}

const std::string* Folder::text(std::string_view file) const {
  const auto found = texts.find(file);
  return found == texts.end() ? nullptr : &found->second;
}

std::string Folder::file(std::string_view name) const {
  return path.empty() || path.ends_with('/') ? path + std::string(name)
                                             : fmt::format("{}/{}", path, name);
}

void check_index(const Folder& folder) {
  std::unordered_map<std::string_view, const Part*> found;
  const auto refuse = [&](const std::string& file, std::string_view tensor,
                          const std::string& message) {
    throw Error(ErrorCode::input_format, message,
                {.file = folder.file(file),
                 .tensor = printable(tensor),
                 .cure = "Download all files of one revision of the checkpoint again"});
  };
  for (const Part& part : folder.parts) {
    for (const Entry& entry : part.entries) {
      const auto [other, is_new] = found.emplace(entry.name, &part);
      if (!is_new) {
        refuse(part.file, entry.name,
               fmt::format("{} has it as well", visible(other->second->file)));
      }
      if (folder.index && !folder.index->parts.contains(entry.name)) {
        refuse(part.file, entry.name, "the index does not have it");
      }
    }
  }
  if (!folder.index) return;
  for (const auto& [tensor, part] : folder.index->parts) {
    if (!found.contains(tensor)) refuse(part, tensor, "it is not where the index says it is");
  }
}

}  // namespace sluice::checkpoint
