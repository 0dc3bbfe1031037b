#include "api/folder_refusals.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sluice/error.h"

namespace sluice {
namespace {

bool has_file(std::span<const std::string> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

void refuse_other_folders(const std::string& folder, std::span<const std::string> names) {
  const auto refuse = [&](ErrorCode code, const std::string& message, const std::string& cure) {
    throw Error(code, message, {.file = folder, .cure = cure});
  };
  if (names.empty()) {
    refuse(ErrorCode::input_open, "the folder is empty",
           "Name a folder that holds a checkpoint, or a GGUF file");
  }
  if (has_file(names, "config.json")) return;
  if (has_file(names, "adapter_config.json")) {
    refuse(ErrorCode::input_type, "this is an adapter (LoRA), no model",
           "Merge it into the model that it adapts (peft: merge_and_unload, then "
           "save_pretrained), and name the folder of what comes out");
  }
  const auto gguf =
      std::ranges::find_if(names, [](const std::string& name) { return name.ends_with(".gguf"); });
  if (gguf != names.end()) {
    refuse(ErrorCode::input_open, "the folder holds GGUF files, and no checkpoint",
           fmt::format("Name one of the files, as {}/{}", folder, printable(*gguf)));
  }
  if (has_file(names, "refs/main")) {
    refuse(ErrorCode::input_open, "this is a repository in the hub's cache",
           "Name the folder of a revision within: one of those in snapshots");
  }
}

void refuse_pointer(const io::File& file, std::string_view begin) {
  if (!begin.starts_with("version https://git-lfs.github.com/spec/")) return;
  throw Error(ErrorCode::input_open, "is a pointer of Git LFS, in place of the file itself",
              {.file = file.path(), .cure = "Run `git lfs pull` in the folder"});
}

}  // namespace sluice
