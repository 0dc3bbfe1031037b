#include "api/model_files.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "api/checkpoint_files.h"
#include "api/gguf_files.h"
#include "api/model_folder.h"
#include "checkpoint/folder.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

bool names_checkpoint(std::string_view path) {
  return path.ends_with(".safetensors") || path.ends_with(".safetensors.index.json");
}

bool is_gguf(const std::string& path) {
  char magic[4] = {};
  io::File::open_input(path).read_at(0, std::as_writable_bytes(std::span(magic)));
  return std::string_view(magic, sizeof magic) == "GGUF";
}

}  // namespace

ModelFiles open_model(const std::string& path, const std::atomic<bool>* stop,
                      std::string_view pre) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return open_checkpoint(*local_folder(path), "", pre);
  const fs::path file(path);
  if (names_checkpoint(path)) {
    const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
    return open_checkpoint(*local_folder(folder), file.filename().string(), pre);
  }
  if (checkpoint::is_pickle(path) && !is_gguf(path)) {
    checkpoint::refuse_pickle(path, file.filename().string());
  }
  ModelFiles files = open_gguf(path, stop);
  if (!pre.empty()) {
    files.notes.push_back(
        fmt::format("--pre has no effect on a GGUF file: --override-kv tokenizer.ggml.pre=str:{} "
                    "changes what it says",
                    pre));
  }
  return files;
}

}  // namespace sluice
