#include "base/process_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#ifdef SLUICE_SANITIZED_ALLOCATOR
#include <cstddef>
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();  // of both compilers' run times
#endif

namespace sluice {

#ifdef SLUICE_SANITIZED_ALLOCATOR

// A sanitizer's shadow memory, and what it keeps of freed memory, are not the program's own.
std::uint64_t anonymous_bytes() noexcept {
  return __sanitizer_get_current_allocated_bytes();
}

#else

std::uint64_t anonymous_bytes() noexcept {
  const int descriptor = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  char text[4096];
  const ssize_t got = ::read(descriptor, text, sizeof text - 1);
  ::close(descriptor);
  if (got <= 0) return 0;
  text[got] = '\0';
  const char* field = std::strstr(text, "RssAnon:");
  return field == nullptr ? 0 : std::strtoull(field + 8, nullptr, 10) * 1024;
}

#endif

}  // namespace sluice
