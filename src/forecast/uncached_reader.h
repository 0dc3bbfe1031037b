#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/page_buffer.h"
#include "io/file.h"

namespace sluice {

/// Reads samples of files without a trace in the page cache: past it where the file system allows,
/// else through it, dropping what was not there before. Not thread-safe.
class UncachedReader {
 public:
  /// \param files  outlive the reader
  /// \param most   bytes of the longest read
  UncachedReader(std::span<const io::File> files, std::size_t most);

  /// \returns the bytes, valid until the next call; fewer only at the file's end
  /// \throws Error (input_read)
  std::span<const std::byte> read(std::size_t file, std::uint64_t offset, std::size_t size);

 private:
  std::span<const io::File> files_;
  std::vector<io::File> direct_;  // closed where a file system refuses
  PageBuffer buffer_;
};

}  // namespace sluice
