#include "io/direct.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>

namespace sluice::io {

File open_direct(const File& file, int access) {
  const std::string path = "/proc/self/fd/" + std::to_string(file.descriptor());
  File direct(::open(path.c_str(), access | O_CLOEXEC | O_DIRECT), file.path());
  if (direct.descriptor() < 0) return {};
  struct statx status {};
  if (::statx(direct.descriptor(), "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) == 0 &&
      (status.stx_mask & STATX_DIOALIGN) != 0 &&
      (status.stx_dio_offset_align == 0 || kDirectAlignment % status.stx_dio_offset_align != 0 ||
       kDirectAlignment % std::max(1u, status.stx_dio_mem_align) != 0)) {
    return {};
  }
  return direct;
}

}  // namespace sluice::io
