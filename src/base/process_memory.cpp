#include "base/process_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace sluice {

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

}  // namespace sluice
