#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace sluice::testing_support {

/// The page cache as the kernel tells it (mincore) of a file that we may write to: for each page,
/// whether it is there.
inline std::vector<bool> cached_pages(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  struct stat status {};
  ::fstat(file, &status);
  const auto size = static_cast<std::size_t>(status.st_size);
  void* map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
  std::vector<unsigned char> states((size + 4095) / 4096);
  ::mincore(map, size, states.data());
  ::munmap(map, size);
  ::close(file);
  std::vector<bool> pages(states.size());
  std::transform(states.begin(), states.end(), pages.begin(),
                 [](unsigned char state) { return (state & 1) != 0; });
  return pages;
}

inline std::size_t count_cached_pages(const std::string& path) {
  const std::vector<bool> pages = cached_pages(path);
  return static_cast<std::size_t>(std::count(pages.begin(), pages.end(), true));
}

/// Takes a file out of the page cache. Returns whether that was possible: not on a file system that
/// keeps files in memory.
inline bool forget(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  ::fsync(file);  // dirty pages would stay
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  ::close(file);
  return count_cached_pages(path) == 0;
}

/// Brings bytes of a file into the page cache as another program would, and none beside them.
inline void bring_in(const std::string& path, std::size_t begin, std::size_t size) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ::posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
  std::vector<char> bytes(size);
  if (::pread(file, bytes.data(), size, static_cast<off_t>(begin)) < 0) bytes.clear();
  ::close(file);
}

}  // namespace sluice::testing_support
