#include "io/sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "base/checked.h"
#include "io/direct.h"
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
  struct stat existing {};
  struct statvfs status {};
  if (::fstat(file.descriptor(), &existing) == 0 && ::fstatvfs(file.descriptor(), &status) == 0) {
    const std::uint64_t has = static_cast<std::uint64_t>(existing.st_blocks) * 512;
    const std::uint64_t available = std::uint64_t{status.f_bavail} * status.f_frsize;
    if (size > has && available < size - has) throw_no_space(file.path(), size - has, available);
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

// Opens the part file and locks it. The lock dies with the process, however it ends.
File open_locked(const std::string& path) {
  for (;;) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) {
      throw Error(ErrorCode::output_open, "cannot be created: " + system_message(errno),
                  {.file = path, .cure = "Name a folder that exists and that you may write to"});
    }
    File file(descriptor, path);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      throw Error(ErrorCode::output_open, "is being written by another run",
                  {.file = path, .cure = "Wait until it is done, or name another output"});
    }
    // The run that held it may have renamed it since it was opened: then it is not ours.
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 &&
        file.identity() == FileIdentity{static_cast<std::uint64_t>(status.st_dev),
                                        static_cast<std::uint64_t>(status.st_ino)}) {
      return file;
    }
  }
}

bool suits_direct(std::uint64_t offset, std::span<const std::span<const std::byte>> pieces) {
  if (offset % kDirectAlignment != 0) return false;
  return std::all_of(pieces.begin(), pieces.end(), [](std::span<const std::byte> piece) {
    return reinterpret_cast<std::uintptr_t>(piece.data()) % kDirectAlignment == 0 &&
           piece.size() % kDirectAlignment == 0;
  });
}

}  // namespace

void sync_folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  const File handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), folder);
  if (handle.descriptor() >= 0) ::fsync(handle.descriptor());
}

Sink::Sink(const std::string& path) : path_(path), part_path_(path + ".part") {
  struct stat status {};
  const bool found = ::stat(part_path_.c_str(), &status) == 0;
  file_ = open_locked(part_path_);
  if (found) found_size_ = file_.size();
  direct_ = open_direct(file_, O_WRONLY);
}

Sink::~Sink() {
  if (!committed_ && !keep_) ::unlink(part_path_.c_str());
}

void Sink::start(std::uint64_t size) {
  if (::ftruncate(file_.descriptor(), 0) != 0) throw_write_error(errno, 0);
  reserve(file_, size);
}

void Sink::resume(std::uint64_t size) {
  reserve(file_, size);
}

void Sink::throw_write_error(int reason, std::uint64_t offset) const {
  const bool full = reason == ENOSPC || reason == EDQUOT;
  throw Error(full ? ErrorCode::output_no_space : ErrorCode::output_write,
              "cannot be written: " + system_message(reason),
              {.file = part_path_,
               .offset = offset,
               .cure = std::string(full ? "Free some space" : "Check the disk") +
                       " and run the same command again"});
}

void Sink::write_at(std::uint64_t offset, std::span<const std::span<const std::byte>> pieces) {
  bool direct = direct_.descriptor() >= 0 && suits_direct(offset, pieces);
  std::vector<iovec> vectors;
  for (const std::span<const std::byte> piece : pieces) {
    vectors.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
  }
  const std::uint64_t begin = offset;
  for (std::size_t next = 0; next < vectors.size();) {
    const int count = static_cast<int>(std::min<std::size_t>(vectors.size() - next, IOV_MAX));
    const ssize_t put = ::pwritev((direct ? direct_ : file_).descriptor(), &vectors[next], count,
                                  static_cast<off_t>(offset));
    if (put < 0) {
      if (errno == EINTR) continue;
      if (direct && errno == EINVAL) {  // a file system that promised what it cannot do
        direct = false;
        continue;
      }
      throw_write_error(errno, offset);
    }
    std::size_t done = static_cast<std::size_t>(put);
    offset += done;
    while (next < vectors.size() && done >= vectors[next].iov_len) done -= vectors[next++].iov_len;
    if (done > 0) {
      vectors[next].iov_base = static_cast<std::byte*>(vectors[next].iov_base) + done;
      vectors[next].iov_len -= done;
      direct = direct && done % kDirectAlignment == 0;
    }
  }
  if (!direct) drop_written({begin, offset});
}

// Starts the new range on its way to the disk, then waits for the one before and frees its pages:
// the disk always has something to write, and the page cache holds two writes at most.
void Sink::drop_written(Interval written) {
  const int descriptor = file_.descriptor();
  ::sync_file_range(descriptor, static_cast<off_t>(written.begin),
                    static_cast<off_t>(written.size()), SYNC_FILE_RANGE_WRITE);
  if (behind_.size() > 0) {
    const auto begin = static_cast<off_t>(behind_.begin);
    const auto size = static_cast<off_t>(behind_.size());
    // An error is not lost here: the next sync() reports it.
    ::sync_file_range(
        descriptor, begin, size,
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    file_.drop_cached(align_down(behind_.begin, File::kLargestFolio), behind_.end);
  }
  behind_ = written;
}

std::size_t Sink::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  try {
    const std::size_t got = file_.read_at(offset, out);
    file_.drop_cached(align_down(offset, File::kLargestFolio), offset + got);
    return got;
  } catch (const Error& error) {
    throw Error(ErrorCode::output_write, error);
  }
}

void Sink::sync() {
  if (::fdatasync(file_.descriptor()) != 0) {
    throw Error(ErrorCode::output_write, "cannot be synced: " + system_message(errno),
                {.file = part_path_, .cure = "Check the disk and run the same command again"});
  }
  file_.drop_cached(0, file_.size());
  behind_ = {};
}

void Sink::commit() {
  sync();
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
