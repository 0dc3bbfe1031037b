#include "io/output_check.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "sluice/error.h"

namespace sluice::io {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNameAFile =
    "Name a file on a disk. What would be made, without writing it, is told by `sluice plan`";

[[noreturn]] void refuse_folder(const std::string& name) {
  throw Error(ErrorCode::output_open, "is the name of a folder",
              {.file = name, .cure = "Add the name of the file to make"});
}

// Whether the name is one for what this process has open, as /dev/stdout and /dev/fd/1 are.
bool is_descriptor(fs::path path) {
  constexpr int kMostLinks = 40;  // as in the kernel
  std::error_code failed;
  for (int i = 0; i < kMostLinks && fs::is_symlink(path, failed); ++i) {
    const fs::path folder = fs::canonical(fs::absolute(path).parent_path(), failed);
    if (folder.string().starts_with("/proc/")) return true;
    path = folder / fs::read_symlink(path, failed);
  }
  return false;
}

// What is there under an output's name must be a file that may be replaced.
void require_regular(const std::string& name) {
  if (is_descriptor(name)) {
    throw Error(ErrorCode::output_open,
                "is what the program has open, and a model is written at many places at once",
                {.file = name, .cure = kNameAFile});
  }
  struct stat status {};
  const bool there = ::lstat(name.c_str(), &status) == 0;
  if (!there || S_ISREG(status.st_mode)) return;
  if (S_ISDIR(status.st_mode)) refuse_folder(name);
  if (S_ISLNK(status.st_mode)) {
    throw Error(ErrorCode::output_open, "is a symbolic link, and would be replaced by a file",
                {.file = name, .cure = "Remove the link, or name the file that it leads to"});
  }
  throw Error(ErrorCode::output_open, "is not a regular file, and would be replaced by one",
              {.file = name, .cure = kNameAFile});
}

void require_short(const std::string& name) {
  const std::size_t size = fs::path(name).filename().string().size();
  const std::size_t most = longest_name(name);
  if (size <= most) return;
  throw Error(ErrorCode::output_open,
              fmt::format("the name has {} bytes, and the file system takes {}", size, most),
              {.file = name, .cure = fmt::format("Shorten the output's name by {}", size - most)});
}

}  // namespace

std::size_t longest_name(const std::string& path) {
  constexpr long kUsual = 255;
  const fs::path folder = fs::path(path).parent_path();
  const long most = ::pathconf(folder.empty() ? "." : folder.c_str(), _PC_NAME_MAX);
  return static_cast<std::size_t>(most < 1 ? kUsual : std::min(most, kUsual));
}

void check_output(const std::string& output, const std::string& work_path,
                  std::span<const SinkPart> parts, std::vector<UsedFile> others) {
  if (output.ends_with('/')) refuse_folder(output);
  if (is_descriptor(output)) require_regular(output);  // wherever it leads
  for (std::size_t no = 0; no < parts.size(); ++no) {
    require_short(parts[no].path);
    for (const std::string& name : {parts[no].path, work_name_of(work_path, no)}) {
      require_regular(name);
      others.push_back({name, "the output", true});
    }
  }
  refuse_shared_files(others);
}

}  // namespace sluice::io
