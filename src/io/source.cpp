#include "io/source.h"

#include <utility>

#include "io/mapped_source.h"
#include "sluice/error.h"

namespace sluice::io {

OpenedSource open_source(IoMode mode, std::vector<const File*> files) {
  OpenedSource opened;
  if (mode == IoMode::automatic || mode == IoMode::async) {
    opened.source = open_async_source(files, opened.fallback_reason);
  } else if (mode == IoMode::mmap) {
    opened.source = open_mapped_source(files, opened.fallback_reason);
  }
  if (!opened.source) opened.source = open_plain_source(std::move(files));
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
