#include "api/model_files.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "api/checkpoint_files.h"
#include "api/gguf_files.h"
#include "api/model_folder.h"
#include "checkpoint/folder.h"
#include "sluice/urls.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

bool is_gguf(const std::string& path) {
  char magic[4] = {};
  io::File::open_input(path).read_at(0, std::as_writable_bytes(std::span(magic)));
  return std::string_view(magic, sizeof magic) == "GGUF";
}

ModelPlace local_place(const std::string& path) {
  std::error_code ignored;
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

}  // namespace sluice
