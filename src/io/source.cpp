#include "io/source.h"

#include <utility>

#include "io/mapped_source.h"
#include "sluice/error.h"

namespace sluice::io {

namespace {

// Where io_uring is not to be had, mapping is faster than plain reads: see bench/README.md.
OpenedSource open_local_source(IoMode mode, std::vector<const File*> files) {
  OpenedSource opened;
  if (mode == IoMode::automatic || mode == IoMode::async) {
    opened.source = open_async_source(files, mode == IoMode::automatic, opened.fallback_reason);
    if (opened.source) return opened;
  }
  if (mode != IoMode::plain) {
    std::string reason;
    opened.source = open_mapped_source(files, reason);
    if (opened.source) return opened;
    opened.fallback_reason += (opened.fallback_reason.empty() ? "" : ", ") + reason;
  }
  opened.source = open_plain_source(std::move(files));
  return opened;
}

}  // namespace

OpenedSource open_source(IoMode mode, std::vector<const File*> files) {
  std::vector<const File*> local;
  std::vector<std::size_t> local_parts;
  for (const File* file : files) {
    local_parts.push_back(local.size());
    if (!file->remote()) local.push_back(file);
  }
  if (local.size() == files.size()) return open_local_source(mode, std::move(files));
  OpenedSource opened;
  if (!local.empty()) opened = open_local_source(mode, std::move(local));
  opened.source =
      open_remote_source(std::move(files), std::move(local_parts), std::move(opened.source));
  return opened;
}

std::vector<const File*> pointers_to(std::span<const File> files) {
  std::vector<const File*> pointers;
  for (const File& file : files) pointers.push_back(&file);
  return pointers;
}

std::exception_ptr shrunk_error(const File& file, std::uint64_t offset) {
  return std::make_exception_ptr(
      Error(ErrorCode::input_truncated, "ends before the data that its header announces",
            {.file = file.path(),
             .offset = offset,
             .cure = "The file changed while it was read: copy it again and start anew"}));
}

}  // namespace sluice::io
