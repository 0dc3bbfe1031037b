#include "forecast/disk_space.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <filesystem>

namespace sluice {

DiskSpace disk_space(const std::string& output, std::span<const std::string> files,
                     std::uint64_t size) {
  DiskSpace space;
  const std::filesystem::path folder = std::filesystem::path(output).parent_path();
  space.folder = folder.empty() ? "." : folder.string();
  space.needed = size;
  struct statvfs system {};
  if (::statvfs(space.folder.c_str(), &system) == 0) {
    space.free = std::uint64_t{system.f_bavail} * system.f_frsize;
  }
  for (const std::string& file : files) {
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
      space.allocated += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
  }
  return space;
}

}  // namespace sluice
