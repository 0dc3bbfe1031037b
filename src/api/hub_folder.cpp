#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/remote_folders.h"
#include "base/text.h"
#include "checkpoint/folder.h"
#include "gguf/split.h"
#include "io/http/hub.h"
#include "sluice/error.h"

namespace sluice {
namespace {

/// A repository of the hub at one commit, or a folder in it.
class HubFolder : public ModelFolder {
 public:
  /// \param path  within the repository; empty: all of it
  HubFolder(io::HubRepository repository, const io::HubName& name, std::string path,
            const std::atomic<bool>* stop)
      : repository_(std::move(repository)),
        name_(name.repository),
        root_(io::hub_name_of(name.repository, name.revision)),
        path_(std::move(path)),
        stop_(stop) {}

  std::string path() const override { return path_.empty() ? root_ : root_ + "/" + path_; }
  std::string model_name() const override { return name_; }

  std::vector<std::string> names() const override {
    const std::string begin = path_.empty() ? "" : path_ + "/";
    std::vector<std::string> names;
    for (const std::string& file : repository_.listing->files) {
      if (!file.starts_with(begin)) continue;
      std::string name = file.substr(begin.size());
      if (std::ranges::count(name, '/') <= 1) names.push_back(std::move(name));
    }
    return names;
  }

  std::vector<io::File> open(std::span<const std::string> names) const override {
    std::vector<std::string> places;
    for (const std::string& name : names) places.push_back(place_of(name));
    return io::open_inputs(places, stop_);
  }

  std::string place_of(const std::string& name) const { return path() + "/" + name; }

 private:
  const io::HubRepository repository_;
  const std::string name_;
  const std::string root_;
  const std::string path_;
  const std::atomic<bool>* const stop_;
};

/// GGUF models among a folder's files, those in several parts by their first.
std::vector<std::string> gguf_models(std::span<const std::string> names) {
  std::vector<std::string> models;
  std::string last;
  for (const std::string& name : names) {
    if (!name.ends_with(".gguf")) continue;
    std::string stem = gguf::stem_of(name);
    if (stem != last) models.push_back(name);
    last = std::move(stem);
  }
  return models;
}

[[noreturn]] void refuse_choice(const HubFolder& folder, const std::vector<std::string>& models) {
  constexpr std::size_t kShown = 12;
  std::string list;
  for (std::size_t i = 0; i < std::min(kShown, models.size()); ++i) {
    list += fmt::format("{}{}", i == 0 ? "" : ", ", printable(models[i]));
  }
  if (models.size() > kShown) list += fmt::format(" and {} more", models.size() - kShown);
  throw Error(
      ErrorCode::usage, fmt::format("holds several models: {}", list),
      {.file = folder.path(), .cure = "Name one of them: " + folder.place_of(models.front())});
}

/// \param path  of a file, which may have none
std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? "" : path.substr(0, slash);
}

}  // namespace

ModelPlace hub_place(const std::string& name, const std::atomic<bool>* stop) {
  const io::HubName parsed = io::parse_hub_name(name);
  const io::HubRepository repository = io::open_repository(name, stop);
  ModelPlace place{.keep = repository.network};
  place.notes.push_back(
      fmt::format("{} is read at commit {}", parsed.repository, repository.listing->commit));
  const bool is_file = std::ranges::binary_search(repository.listing->files, parsed.path);
  if (is_file && !checkpoint::names_checkpoint(parsed.path)) {
    if (checkpoint::is_pickle(parsed.path)) checkpoint::refuse_pickle(name, parsed.path);
    place.file = name;
    return place;
  }
  auto folder = std::make_unique<HubFolder>(repository, parsed,
                                            is_file ? folder_of(parsed.path) : parsed.path, stop);
  const std::vector<std::string> names = folder->names();
  if (names.empty()) io::File::open_input(name, stop);  // which says what there is
  const std::vector<std::string> models = gguf_models(names);
  if (models.empty() || std::ranges::any_of(names, checkpoint::names_checkpoint)) {
    if (is_file) place.file = parsed.path.substr(parsed.path.rfind('/') + 1);
    place.folder = std::move(folder);
    return place;
  }
  if (models.size() > 1) refuse_choice(*folder, models);
  place.file = folder->place_of(models.front());
  return place;
}

}  // namespace sluice
