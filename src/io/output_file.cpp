#include "io/output_file.h"

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
#include <limits>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "base/text.h"
#include "io/direct.h"
#include "sluice/amounts.h"
#include "sluice/error.h"
#include "sluice/used_files.h"

namespace sluice::io {
namespace {

File open_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    const int reason = errno;
    throw Error(ErrorCode::output_open, "cannot be created: " + system_message(reason),
                {.file = path,
                 .cure = open_cure(reason, "Name a folder that exists and that you may write to")});
  }
  return File(descriptor, path);
}

bool suits_direct(std::uint64_t offset, std::span<const std::span<const std::byte>> pieces) {
  if (offset % kDirectAlignment != 0) return false;
  return std::all_of(pieces.begin(), pieces.end(), [](std::span<const std::byte> piece) {
    return reinterpret_cast<std::uintptr_t>(piece.data()) % kDirectAlignment == 0 &&
           piece.size() % kDirectAlignment == 0;
  });
}

}  // namespace

void throw_no_space(const std::string& path, std::uint64_t needed, std::uint64_t available,
                    std::uint64_t older) {
  std::string cure = "Free some space or write to another disk";
  if (older > 0) {
    cure += fmt::format(". Removing the older output first would free {}",
                        bytes_text(static_cast<double>(older)));
  }
  throw Error(
      ErrorCode::output_no_space,
      fmt::format("needs {}, the file system has {} free", bytes_text(static_cast<double>(needed)),
                  bytes_text(static_cast<double>(available))),
      {.file = path, .cure = std::move(cure)});
}

std::uint64_t free_space(const File& file) {
  struct statvfs status {};
  if (::fstatvfs(file.descriptor(), &status) != 0) return std::numeric_limits<std::uint64_t>::max();
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

OutputFile::OutputFile(File file) : file_(std::move(file)), direct_(open_direct(file_, O_WRONLY)) {}

OutputFile OutputFile::open(const std::string& path) {
  return OutputFile(open_file(path));
}

OutputFile OutputFile::open_locked(const std::string& path) {
  constexpr int kTries = 100;  // other runs rename now and then; some file systems' numbers change
  for (int i = 0; i < kTries; ++i) {
    File file = open_file(path);
    // The lock dies with the process, however it ends.
    if (::flock(file.descriptor(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      throw Error(ErrorCode::output_open, "is being written by another run",
                  {.file = path, .cure = "Wait until it is done, or name another output"});
    }
    // The run that held it may have renamed it since it was opened: then it is not ours.
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 &&
        file.identity() == FileIdentity{static_cast<std::uint64_t>(status.st_dev),
                                        static_cast<std::uint64_t>(status.st_ino)}) {
      return OutputFile(std::move(file));
    }
  }
  throw Error(ErrorCode::output_open, "is not the same file from one moment to the next",
              {.file = path, .cure = "Write to a local disk"});
}

void OutputFile::empty() {
  if (::ftruncate(file_.descriptor(), 0) != 0) throw_write_error(errno, 0);
}

void OutputFile::reserve(std::uint64_t size) {
  state_->dirty = true;
  // Its length, so that the padding between tensors reads as zeros.
  if (::ftruncate(file_.descriptor(), static_cast<off_t>(size)) != 0) {
    throw Error(
        ErrorCode::output_write, "cannot be extended: " + system_message(errno),
        {.file = file_.path(),
         .cure = "Raise the limit of file sizes (ulimit -f), or write to a file system that "
                 "takes large files"});
  }
  // The space, so that a full disk is found now and not in the last hour, and the file lies in few
  // pieces. File systems that cannot do it are left to find out later.
  if (size > 0 && ::fallocate(file_.descriptor(), 0, 0, static_cast<off_t>(size)) != 0 &&
      errno == ENOSPC) {
    throw_no_space(file_.path(), size, free_space(file_));
  }
}

void OutputFile::throw_write_error(int reason, std::uint64_t offset) const {
  const bool full = reason == ENOSPC || reason == EDQUOT;
  throw Error(full ? ErrorCode::output_no_space : ErrorCode::output_write,
              "cannot be written: " + system_message(reason),
              {.file = file_.path(),
               .offset = offset,
               .cure = std::string(full ? "Free some space" : "Check the disk") +
                       " and run the same command again"});
}

void OutputFile::write_at(std::uint64_t offset,
                          std::span<const std::span<const std::byte>> pieces) {
  state_->dirty = true;
  bool is_direct = direct() && suits_direct(offset, pieces);
  std::unique_lock lock(state_->buffered, std::defer_lock);
  std::vector<iovec> vectors;
  for (const std::span<const std::byte> piece : pieces) {
    vectors.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
  }
  const std::uint64_t begin = offset;
  for (std::size_t next = 0; next < vectors.size();) {
    if (!is_direct && !lock) lock.lock();
    const int count = static_cast<int>(std::min<std::size_t>(vectors.size() - next, IOV_MAX));
    const ssize_t put = ::pwritev((is_direct ? direct_ : file_).descriptor(), &vectors[next], count,
                                  static_cast<off_t>(offset));
    if (put < 0) {
      if (errno == EINTR) continue;
      if (is_direct && errno == EINVAL) {  // a file system that promised what it cannot do
        is_direct = false;
        state_->refuses_direct = true;
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
      is_direct = is_direct && done % kDirectAlignment == 0;
    }
  }
  if (!is_direct) drop_written({begin, offset});
}

// Starts the new range on its way to the disk, then waits for the one before and frees its pages:
// the disk always has something to write, and the page cache holds two writes at most.
void OutputFile::drop_written(Interval written) {
  // A failed write-back is reported to each descriptor once, and here is that once: the next
  // fdatasync would know of nothing. File systems that cannot do it leave all to that.
  const auto sync_range = [&](Interval range, unsigned flags) {
    if (::sync_file_range(file_.descriptor(), static_cast<off_t>(range.begin),
                          static_cast<off_t>(range.size()), flags) != 0 &&
        errno != EINVAL && errno != ENOSYS && errno != ESPIPE) {
      throw_write_error(errno, range.begin);
    }
  };
  sync_range(written, SYNC_FILE_RANGE_WRITE);
  if (state_->behind.size() > 0) {
    sync_range(state_->behind,
               SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    file_.drop_cached(align_down(state_->behind.begin, File::kLargestFolio), state_->behind.end);
  }
  state_->behind = written;
}

std::size_t OutputFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  try {
    const std::size_t got = file_.read_at(offset, out);
    file_.drop_cached(align_down(offset, File::kLargestFolio), offset + got);
    return got;
  } catch (const Error& error) {
    throw Error(ErrorCode::output_write, error);
  }
}

void OutputFile::sync() {
  if (!state_->dirty) return;
  if (::fdatasync(file_.descriptor()) != 0) {
    throw Error(ErrorCode::output_write, "cannot be synced: " + system_message(errno),
                {.file = file_.path(), .cure = "Check the disk and run the same command again"});
  }
  file_.drop_cached(0, file_.size());
  state_->behind = {};
  state_->dirty = false;
}

}  // namespace sluice::io
