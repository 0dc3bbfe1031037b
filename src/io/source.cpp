#include "io/source.h"

#include "io/async_source.h"
#include "io/mapped_source.h"
#include "io/plain_source.h"
#include "sluice/error.h"

namespace sluice::io {

OpenedSource open_source(IoMode mode, std::span<const File> parts) {
  OpenedSource opened;
  if (mode == IoMode::automatic || mode == IoMode::async) {
    opened.source = open_async_source(parts, opened.fallback_reason);
  } else if (mode == IoMode::mmap) {
    opened.source = open_mapped_source(parts, opened.fallback_reason);
  }
  if (!opened.source) opened.source = open_plain_source(parts);
  return opened;
}

std::exception_ptr shrunk_error(const File& file, std::uint64_t offset) {
  return std::make_exception_ptr(
      Error(ErrorCode::input_truncated, "ends before the data that its header announces",
            {.file = file.path(),
             .offset = offset,
             .cure = "The file changed while it was read: copy it again and start anew"}));
}

}  // namespace sluice::io
