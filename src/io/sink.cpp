#include "io/sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "sluice/error.h"

namespace sluice::io {
namespace {

[[noreturn]] void throw_no_space(const std::string& path, std::uint64_t needed,
                                 std::uint64_t available) {
  throw Error(ErrorCode::output_no_space,
              fmt::format("needs {} bytes, the file system has {} free", needed, available),
              {.file = path, .cure = "Free some space or write to another disk"});
}

// Sets the space aside, so that a full disk is found now and not in the last hour, and the file
// lies in few pieces. File systems that cannot do it are left to find out later.
void reserve(const File& file, std::uint64_t size) {
  struct statvfs status {};
  if (::fstatvfs(file.descriptor(), &status) == 0) {
    const std::uint64_t available = std::uint64_t{status.f_bavail} * status.f_frsize;
    if (available < size) throw_no_space(file.path(), size, available);
  }
  // Gives the file its length, so that the padding between tensors reads as zeros.
  if (::ftruncate(file.descriptor(), static_cast<off_t>(size)) != 0) {
    throw Error(ErrorCode::output_write, "cannot be extended: " + system_message(errno),
                {.file = file.path(), .cure = "Write to a file system that takes large files"});
  }
  if (size > 0 && ::fallocate(file.descriptor(), 0, 0, static_cast<off_t>(size)) != 0 &&
      errno == ENOSPC) {
    throw_no_space(file.path(), size, std::uint64_t{status.f_bavail} * status.f_frsize);
  }
}

void sync_folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  const File handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), folder);
  if (handle.descriptor() >= 0) ::fsync(handle.descriptor());
}

}  // namespace

Sink::Sink(const std::string& path, std::uint64_t size) : path_(path), part_path_(path + ".part") {
  const int descriptor = ::open(part_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    throw Error(
        ErrorCode::output_open, "cannot be created: " + system_message(errno),
        {.file = part_path_, .cure = "Name a folder that exists and that you may write to"});
  }
  file_ = File(descriptor, part_path_);
  try {
    reserve(file_, size);
  } catch (...) {
    ::unlink(part_path_.c_str());
    throw;
  }
}

Sink::~Sink() {
  if (!committed_) ::unlink(part_path_.c_str());
}

void Sink::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put = ::pwrite(file_.descriptor(), bytes.data() + done, bytes.size() - done,
                                 static_cast<off_t>(offset + done));
    if (put < 0) {
      if (errno == EINTR) continue;
      const int reason = errno;
      throw Error(reason == ENOSPC || reason == EDQUOT ? ErrorCode::output_no_space
                                                       : ErrorCode::output_write,
                  "cannot be written: " + system_message(reason),
                  {.file = part_path_,
                   .offset = offset + done,
                   .cure = "Check the disk and its free space"});
    }
    done += static_cast<std::size_t>(put);
  }
}

void Sink::commit() {
  if (::fsync(file_.descriptor()) != 0) {
    throw Error(ErrorCode::output_write, "cannot be synced: " + system_message(errno),
                {.file = part_path_, .cure = "Check the disk"});
  }
  if (std::rename(part_path_.c_str(), path_.c_str()) != 0) {
    throw Error(ErrorCode::output_write, "cannot be renamed: " + system_message(errno),
                {.file = part_path_, .cure = "Check the folder's rights"});
  }
  committed_ = true;
  sync_folder_of(path_);
}

void refuse_output_over_input(const std::string& output, std::span<const File> inputs) {
  for (const std::string& name : {output, output + ".part"}) {
    struct stat status {};
    const bool exists = ::stat(name.c_str(), &status) == 0;
    const FileIdentity identity{static_cast<std::uint64_t>(status.st_dev),
                                static_cast<std::uint64_t>(status.st_ino)};
    for (const File& input : inputs) {
      if (exists && identity == input.identity()) {
        throw Error(ErrorCode::output_is_input,
                    fmt::format("is the input file {}, which would be lost", input.path()),
                    {.file = name, .cure = "Name another output"});
      }
    }
  }
}

}  // namespace sluice::io
