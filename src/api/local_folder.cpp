#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "api/model_folder.h"
#include "sluice/error.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

/// What a repository is called by the folder `models--ORGANIZATION--NAME/snapshots/REVISION` in the
/// hub's cache; empty if it is no such folder.
std::string name_in_cache(const fs::path& folder) {
  constexpr std::string_view kBegin = "models--";
  constexpr std::string_view kBetween = "--";
  std::string name = folder.parent_path().parent_path().filename();
  if (folder.parent_path().filename() != "snapshots" || !name.starts_with(kBegin)) return {};
  name.erase(0, kBegin.size());
  if (const std::size_t at = name.find(kBetween); at != name.npos) {
    name.replace(at, kBetween.size(), "/");
  }
  return name;
}

class LocalFolder : public ModelFolder {
 public:
  explicit LocalFolder(const std::string& path) : path_(path) {
    while (path_.size() > 1 && path_.ends_with('/')) path_.pop_back();
  }

  std::string path() const override { return path_; }

  std::string model_name() const override {
    std::error_code ignored;
    fs::path folder = fs::absolute(path_, ignored).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();  // "." leaves a slash
    const std::string cached = name_in_cache(folder);
    return cached.empty() ? folder.filename().string() : cached;
  }

  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    list("", names);
    std::ranges::sort(names);
    return names;
  }

  std::vector<io::File> open(std::span<const std::string> names) const override {
    std::vector<std::string> files;
    for (const std::string& name : names) {
      files.push_back(fmt::format("{}/{}", path_, name));
      refuse_empty_link(files.back());
    }
    return io::open_inputs(files);
  }

 private:
  static void refuse_empty_link(const std::string& file) {
    std::error_code ignored;
    if (!fs::is_symlink(file, ignored) || fs::exists(file, ignored)) return;
    throw Error(ErrorCode::input_open,
                fmt::format("is a link to {}, which is not there",
                            fs::read_symlink(file, ignored).string()),
                {.file = file, .cure = "Finish the download, or copy what the link leads to"});
  }

  /// \param below  a folder in this one, with a slash behind; empty: this one
  void list(const std::string& below, std::vector<std::string>& names) const {
    const std::string folder = below.empty() ? path_ : fmt::format("{}/{}", path_, below);
    std::error_code failed;
    for (fs::directory_iterator at(folder, failed), end; !failed && at != end;
         at.increment(failed)) {
      const std::string name = below + at->path().filename().string();
      if (at->path().filename().string().starts_with('.')) continue;  // of systems and tools
      std::error_code ignored;
      if (!at->is_directory(ignored)) {
        names.push_back(name);
      } else if (below.empty()) {
        list(name + "/", names);
      }
    }
    if (failed && below.empty()) {
      throw Error(ErrorCode::input_open, "cannot be listed: " + failed.message(),
                  {.file = path_, .cure = "Give yourself the right to read the folder"});
    }
  }

  std::string path_;
};

}  // namespace

std::unique_ptr<ModelFolder> local_folder(const std::string& path) {
  return std::make_unique<LocalFolder>(path);
}

}  // namespace sluice
