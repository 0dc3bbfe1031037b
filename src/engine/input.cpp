#include "engine/input.h"

#include <fmt/format.h>

#include <string_view>

#include "base/text.h"

namespace sluice::engine {
namespace {

std::string_view mode_name(IoMode mode) {
  switch (mode) {
    case IoMode::mmap:
      return "mmap";
    case IoMode::plain:
      return "read";
    case IoMode::automatic:
    case IoMode::async:
      return "async";
  }
  return "read";
}

}  // namespace

Input::Input(const StreamingOptions& options, std::vector<const io::File*> files,
             Observer& observer)
    : observer_(observer), opened_(io::open_source(options.io, std::move(files))) {
  if (!opened_.fallback_reason.empty()) {
    observer.note(fmt::format("--io {} is not to be had: {}; using --io {}", mode_name(options.io),
                              opened_.fallback_reason, opened_.source->name()));
  }
  note_cached();
  if (const std::string file = opened_.source->unseen_file(); !file.empty()) {
    observer.note(fmt::format(
        "the system does not tell which pages of {} are cached, as it tells a file's owner: {}",
        visible(file),
        opened_.source->name() == "async" ? "all of it is read past the page cache"
                                          : "what is read stays in the page cache"));
  }
}

void Input::note_cached() {
  const std::string file = opened_.source->cached_file();
  if (file.empty() || noted_) return;
  noted_ = true;
  observer_.note(fmt::format(
      "the file system of {} refuses direct reads (O_DIRECT): it is read through the page cache",
      visible(file)));
}

std::string Input::mode() {
  note_cached();
  return fmt::format("{}{}", opened_.source->name(),
                     opened_.source->cached_file().empty() ? "" : ", cached");
}

}  // namespace sluice::engine
