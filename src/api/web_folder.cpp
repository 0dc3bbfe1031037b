#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "api/remote_folders.h"
#include "checkpoint/folder.h"
#include "io/http/hub.h"
#include "io/http/url.h"
#include "sluice/error.h"
#include "sluice/urls.h"
#include "tokenizer/tokenizer.h"

namespace sluice {
namespace {

constexpr std::string_view kConfig = "config.json";
constexpr std::string_view kIndexEnding = ".index.json";

/// A folder on a server, which does not list it. Its files are those that a checkpoint may have and
/// the server has, and the parts that the index names.
class WebFolder : public ModelFolder {
 public:
  /// \param url   of any file in the folder, or of the folder with a slash behind
  /// \param file  the part or index that the user named; or empty
  WebFolder(std::string url, std::string file, const std::atomic<bool>* stop)
      : url_(std::move(url)), file_(std::move(file)), stop_(stop) {}

  std::string path() const override {
    const std::string folder = masked(io::sibling(url_, ""));
    return folder.substr(0, std::min(folder.find('?'), folder.size()) - 1);
  }

  // The hub's URLs are ORG/NAME/resolve/REVISION/FILE.
  std::string model_name() const override {
    std::string folder = io::parse_url(io::sibling(url_, "")).path;
    if (const std::size_t end = folder.find("/resolve/"); end != folder.npos && end > 0) {
      return folder.substr(1, end - 1);
    }
    folder.pop_back();
    return folder.substr(std::min(folder.rfind('/') + 1, folder.size()));
  }

  std::vector<std::string> names() const override {
    std::set<std::string> wanted = {std::string(kConfig),
                                    "generation_config.json",
                                    "README.md",
                                    "model.safetensors",
                                    std::string(checkpoint::kIndexFile),
                                    std::string(checkpoint::kModeloptFile)};
    for (const std::string_view name : tokenizer::files_read()) wanted.emplace(name);
    if (!file_.empty()) wanted.insert(file_);
    const std::vector<std::string> asked(wanted.begin(), wanted.end());
    std::vector<std::optional<io::File>> found = io::open_those_there(urls_of(asked), stop_);
    std::set<std::string> names;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (!found[i]) continue;
      names.insert(asked[i]);
      opened_.insert_or_assign(asked[i], *std::move(found[i]));
    }
    if (names.empty()) {
      throw Error(ErrorCode::input_open, "its server has no file of a checkpoint there",
                  {.file = path(), .cure = "Name the folder that has config.json, or a GGUF file"});
    }
    for (std::string& part : parts()) names.insert(std::move(part));
    return {names.begin(), names.end()};
  }

  std::vector<io::File> open(std::span<const std::string> names) const override {
    std::vector<std::string> others;
    for (const std::string& name : names) {
      if (!opened_.contains(name)) others.push_back(name);
    }
    std::vector<io::File> opened = io::open_inputs(urls_of(others), stop_);
    std::vector<io::File> files;
    for (std::size_t i = 0; const std::string& name : names) {
      auto known = opened_.extract(name);
      files.push_back(known.empty() ? std::move(opened[i++]) : std::move(known.mapped()));
    }
    return files;
  }

 private:
  std::vector<std::string> urls_of(std::span<const std::string> names) const {
    std::vector<std::string> urls;
    for (const std::string& name : names) {
      urls.push_back(io::sibling(url_, io::path_encoded(name)));
    }
    return urls;
  }

  /// The parts that the index names, or the name of the one that the user named.
  std::vector<std::string> parts() const {
    const auto index =
        opened_.find(file_.ends_with(kIndexEnding) ? file_ : std::string(checkpoint::kIndexFile));
    if (index == opened_.end()) {
      return file_.empty() ? std::vector<std::string>() : checkpoint::siblings(file_);
    }
    const io::File& file = index->second;
    std::string text(file.size(), '\0');
    file.read_at(0, std::as_writable_bytes(std::span(text)));
    std::vector<std::string> parts;
    for (const auto& [tensor, part] : checkpoint::parse_index(text, file.path()).parts) {
      if (parts.empty() || parts.back() != part) parts.push_back(part);
    }
    return parts;
  }

  const std::string url_;
  const std::string file_;
  const std::atomic<bool>* const stop_;
  mutable std::map<std::string, io::File> opened_;  // when they were looked for
};

}  // namespace

ModelPlace web_place(const std::string& url, const std::atomic<bool>* stop) {
  const std::string path = io::parse_url(url).path;
  const std::string file = path.substr(path.rfind('/') + 1);
  const bool names_checkpoint = checkpoint::names_checkpoint(file);
  if (names_checkpoint || file == kConfig || file.empty()) {
    std::string named = names_checkpoint ? file : "";
    return {.folder = std::make_unique<WebFolder>(url, named, stop), .file = named};
  }
  if (checkpoint::is_pickle(file)) checkpoint::refuse_pickle(masked(url), file);
  return {.file = url};
}

ModelPlace remote_place(const std::string& url, const std::atomic<bool>* stop) {
  return io::is_hub_name(url) ? hub_place(url, stop) : web_place(url, stop);
}

}  // namespace sluice
