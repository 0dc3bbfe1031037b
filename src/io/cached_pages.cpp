#include "io/cached_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/checked.h"

namespace sluice::io {
namespace {

// As in linux/mman.h of 6.5, which older systems lack.
constexpr long kCachestat = 451;  // on all architectures
struct CachestatRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
struct Cachestat {
  std::uint64_t cached = 0;
  std::uint64_t dirty = 0;
  std::uint64_t writeback = 0;
  std::uint64_t evicted = 0;
  std::uint64_t recently_evicted = 0;
};

/// How many pages of a range are cached; nothing where the kernel or a sandbox does not tell.
std::optional<std::uint64_t> count_cached(int descriptor, std::uint64_t begin, std::uint64_t size) {
  CachestatRange range{begin, size};
  Cachestat answer;
  if (::syscall(kCachestat, descriptor, &range, &answer, 0) != 0) return std::nullopt;
  return answer.cached;
}

// To others mincore says that all pages are there.
bool told_by_mincore(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && status.st_uid == ::geteuid()) return true;
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  return ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

}  // namespace

CachedPages::CachedPages(const File& file) : file_(&file) {
  if (file.remote()) return;
  if (count_cached(file.descriptor(), 0, kPage)) {
    how_ = How::cachestat;
  } else if (told_by_mincore(file.descriptor())) {
    how_ = How::mincore;
  }
}

std::vector<bool> CachedPages::look(std::uint64_t begin, std::uint64_t end) const {
  const std::uint64_t start = align_down(begin, kPage);
  std::vector<bool> pages((align_up(end, kPage) - start) / kPage);
  // A folio reaches beyond the end of a file that was cut short.
  const std::uint64_t file_end = align_up(file_->size(), kPage);
  if (start >= file_end) return pages;
  const auto there =
      static_cast<std::size_t>(std::min<std::uint64_t>(pages.size(), (file_end - start) / kPage));
  if (how_ == How::cachestat) count(start, 0, there, pages);
  if (how_ == How::mincore) walk(start, there, pages);
  return pages;
}

// Of pages that are not all the same, each half is asked for.
void CachedPages::count(std::uint64_t begin, std::size_t first, std::size_t last,
                        std::vector<bool>& pages) const {
  if (first == last) return;
  const std::uint64_t cached =
      count_cached(file_->descriptor(), begin + first * kPage, (last - first) * kPage).value_or(0);
  if (cached == 0) return;
  if (cached >= last - first) {
    std::fill(pages.begin() + static_cast<std::ptrdiff_t>(first),
              pages.begin() + static_cast<std::ptrdiff_t>(last), true);
    return;
  }
  const std::size_t middle = first + (last - first) / 2;
  count(begin, first, middle, pages);
  count(begin, middle, last, pages);
}

void CachedPages::walk(std::uint64_t begin, std::size_t there, std::vector<bool>& pages) const {
  const std::size_t size = there * kPage;
  void* const map =
      ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file_->descriptor(), static_cast<off_t>(begin));
  if (map == MAP_FAILED) return;
  std::vector<unsigned char> states(there);
  if (::mincore(map, size, states.data()) == 0) {
    std::transform(states.begin(), states.end(), pages.begin(),
                   [](unsigned char state) { return (state & 1) != 0; });
  }
  ::munmap(map, size);
}

}  // namespace sluice::io
