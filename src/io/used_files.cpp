#include "sluice/used_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>

#include "sluice/error.h"
#include "sluice/urls.h"

namespace sluice {
namespace {

// What two names of one file have in common; none of what is no regular file.
std::optional<std::string> identity_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode)) return std::nullopt;
    return fmt::format("{}:{}", status.st_dev, status.st_ino);
  }
  namespace fs = std::filesystem;
  std::error_code failed;
  const fs::path whole = fs::weakly_canonical(fs::absolute(path, failed), failed);
  return failed ? path : whole.string();
}

[[noreturn]] void refuse(const UsedFile& written, const UsedFile& other) {
  throw Error(other.written ? ErrorCode::usage : ErrorCode::output_is_input,
              fmt::format("cannot be {}: it is {}{}{}", written.role, other.role,
                          written.path == other.path ? "" : ", " + masked(other.path),
                          other.written ? "" : ", which would be lost"),
              {.file = written.path, .cure = "Name another file for " + written.role});
}

}  // namespace

void refuse_shared_files(std::span<const UsedFile> files) {
  std::map<std::string, const UsedFile*> known;
  for (const UsedFile& file : files) {
    if (file.path.empty()) continue;
    const std::optional<std::string> identity = identity_of(file.path);
    if (!identity) continue;
    const auto [place, first] = known.emplace(*identity, &file);
    if (first) continue;
    if (file.written) refuse(file, *place->second);
    if (place->second->written) refuse(*place->second, file);
  }
}

std::string open_cure(int error_number, std::string_view otherwise) {
  switch (error_number) {
    case EMFILE:
      return "Raise the limit of open files (ulimit -n)";
    case ENFILE:
      return "Close programs that hold many files open, or raise fs.file-max";
    case ENAMETOOLONG:
      return "Give it a shorter name";
    case EROFS:
      return "Name a file in a folder that is not read-only";
    case ENOSPC:
    case EDQUOT:
      return "Free some space";
    default:
      return std::string(otherwise);
  }
}

}  // namespace sluice
