#include "api/model_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "api/checkpoint_files.h"
#include "api/gguf_files.h"
#include "api/model_folder.h"
#include "checkpoint/folder.h"
#include "sluice/error.h"
#include "sluice/nearest_name.h"
#include "sluice/urls.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

bool is_gguf(const std::string& path) {
  char magic[4] = {};
  io::File::open_input(path).read_at(0, std::as_writable_bytes(std::span(magic)));
  return std::string_view(magic, sizeof magic) == "GGUF";
}

// Of a name that leads nowhere, what was likely meant.
[[noreturn]] void refuse_missing(const std::string& path) {
  const fs::path file = path.ends_with('/') ? fs::path(path).parent_path() : fs::path(path);
  std::vector<std::string> names;
  std::error_code failed;
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    names.push_back(at->path().filename().string());
  }
  std::ranges::sort(names);
  const std::string name = file.filename().string();
  const std::string_view meant =
      nearest_name(name, std::vector<std::string_view>(names.begin(), names.end()));
  std::string cure = "Check the name and the folder";
  if (!meant.empty()) {
    cure = fmt::format("Did you mean {}?", (file.parent_path() / meant).string());
  } else if (std::ranges::count(path, '/') == 1 && !file.has_extension()) {
    cure = fmt::format("Check the name; a model on the hub is hf://{}", path);
  }
  throw Error(ErrorCode::input_open, "cannot be opened: there is no such file",
              {.file = path, .cure = cure});
}

ModelPlace local_place(const std::string& path) {
  std::error_code ignored;
  if (fs::symlink_status(path, ignored).type() == fs::file_type::not_found) refuse_missing(path);
  if (fs::is_directory(path, ignored)) return {.folder = local_folder(path)};
  const fs::path file(path);
  if (checkpoint::names_checkpoint(path)) {
    const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
    return {.folder = local_folder(folder), .file = file.filename().string()};
  }
  if (checkpoint::is_pickle(path) && !is_gguf(path)) {
    checkpoint::refuse_pickle(path, file.filename().string());
  }
  return {.file = path};
}

}  // namespace

ModelFiles open_model(const std::string& path, const std::atomic<bool>* stop,
                      std::string_view pre) {
  const ModelPlace place = is_url(path) ? remote_place(path, stop) : local_place(path);
  ModelFiles files =
      place.folder ? open_checkpoint(*place.folder, place.file, pre) : open_gguf(place.file, stop);
  files.notes.insert(files.notes.begin(), place.notes.begin(), place.notes.end());
  if (!files.published && !pre.empty()) {
    files.notes.push_back(
        fmt::format("--pre has no effect on a GGUF file: --override-kv tokenizer.ggml.pre=str:{} "
                    "changes what it says",
                    pre));
  }
  return files;
}

ModelView view_of(const ModelFiles& files) {
  return {files.parts, files.model.tensors, &files.weights, files.published};
}

}  // namespace sluice
