#include "forecast/uncached_reader.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/checked.h"
#include "io/direct.h"

namespace sluice {
namespace {

using io::kDirectAlignment;

// Whether the page at `offset` is in the page cache: a read that may not wait gets it then. Unknown
// counts as cached, so that nothing of others is dropped.
bool cached(const io::File& file, std::uint64_t offset) {
  char byte = 0;
  iovec vector{&byte, 1};
  const ssize_t got =
      ::preadv2(file.descriptor(), &vector, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  return !(got < 0 && errno == EAGAIN);
}

}  // namespace

UncachedReader::UncachedReader(std::span<const io::File> files, std::size_t most)
    : files_(files), buffer_(align_up(most, kDirectAlignment) + 2 * kDirectAlignment) {
  for (const io::File& file : files) direct_.push_back(io::open_direct(file, O_RDONLY));
}

std::span<const std::byte> UncachedReader::read(std::size_t file, std::uint64_t offset,
                                                std::size_t size) {
  const std::uint64_t start = align_down(offset, kDirectAlignment);
  const std::size_t before = offset - start;
  const std::span<std::byte> window =
      buffer_.bytes().first(align_up(before + size, kDirectAlignment));
  std::size_t got = 0;
  if (const io::File& direct = direct_[file]; direct.descriptor() >= 0) {
    // One call: direct reads go on from whole pages only, and a short one ends at the file's end or
    // is made whole below.
    const ssize_t read =
        ::pread(direct.descriptor(), window.data(), window.size(), static_cast<off_t>(start));
    if (read > 0) got = static_cast<std::size_t>(read);
  }
  if (got < before + size) {
    const io::File& plain = files_[file];
    const bool was_cached = cached(plain, start + got);
    ::posix_fadvise(plain.descriptor(), static_cast<off_t>(start),
                    static_cast<off_t>(before + size),
                    POSIX_FADV_RANDOM);  // no more is read than was asked for
    const std::size_t began = got;
    got += plain.read_at(start + got, window.first(before + size).subspan(got));
    ::posix_fadvise(plain.descriptor(), 0, 0, POSIX_FADV_NORMAL);
    if (!was_cached) plain.drop_cached(start + began, start + got);
  }
  return window.first(std::min(got, before + size)).subspan(std::min(got, before));
}

}  // namespace sluice
