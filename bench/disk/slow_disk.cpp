// A FUSE file system that shows a folder as if it lay on one slow hard disk: see disk_head.h for
// what the disk is like.
//
//   bench_slow_disk FOLDER MOUNT_POINT BYTES_PER_SECOND SEEK_SECONDS COUNTERS
//
// Runs in the foreground until it is unmounted. COUNTERS is a file that holds, as native 64-bit
// numbers kept up to date, the bytes read, the bytes written and the seeks so far.
//
// The kernel's page cache lies on top, as on any disk: it keeps pages over close and open, gathers
// writes, and is told to forget by the usual means. What misses it waits for the head. Opened with
// O_DIRECT, files go past it. What lies below (the folder's own disk) is never waited for: a sync
// means that the head has done the writes.

#define FUSE_USE_VERSION 312

#include <dirent.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <string>

#include "disk_head.h"

namespace {

using sluice::bench::DiskHead;

struct Counters {
  std::atomic<std::uint64_t> bytes_read;
  std::atomic<std::uint64_t> bytes_written;
  std::atomic<std::uint64_t> seeks;
};

class Disk {
 public:
  Disk(int folder, double bytes_per_second, double seek_seconds, Counters& counters)
      : folder_(folder), head_(bytes_per_second, seek_seconds), counters_(counters) {}

  int folder() const { return folder_; }

  /// Takes the head's time for an access; returns when it is over, to be waited for.
  double read(std::uint64_t file, off_t offset, std::size_t size) {
    counters_.bytes_read += size;
    return use(file, offset, size);
  }
  double write(std::uint64_t file, off_t offset, std::size_t size) {
    counters_.bytes_written += size;
    return use(file, offset, size);
  }

 private:
  double use(std::uint64_t file, off_t offset, std::size_t size) {
    const std::lock_guard lock(mutex_);
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const double done =
        head_.use(static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9, file,
                  static_cast<std::uint64_t>(offset), size);
    counters_.seeks = head_.seeks();
    return done;
  }

  int folder_;
  std::mutex mutex_;
  DiskHead head_;
  Counters& counters_;
};

Disk& disk() {
  return *static_cast<Disk*>(fuse_get_context()->private_data);
}

void wait_until(double seconds) {
  const double whole = std::floor(seconds);
  const timespec time{static_cast<time_t>(whole), static_cast<long>((seconds - whole) * 1e9)};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) == EINTR) {
  }
}

int result(long status) {
  return status < 0 ? -errno : static_cast<int>(status);
}

// Paths come with a leading slash; the folder itself is "/".
const char* below(const char* path) {
  return path[1] == '\0' ? "." : path + 1;
}

// An open file. The inode, not the descriptor, says where the head is: a file may be open twice.
struct Handle {
  int descriptor;
  std::uint64_t inode;
};

Handle& handle(fuse_file_info* info) {
  return *reinterpret_cast<Handle*>(info->fh);
}

int open_file(const char* path, fuse_file_info* info, int flags, mode_t mode) {
  // With a write-back cache the kernel reads what it is to fill up, and places appended bytes.
  flags &= ~(O_DIRECT | O_APPEND);
  if ((flags & O_ACCMODE) == O_WRONLY) flags = (flags & ~O_ACCMODE) | O_RDWR;
  const int descriptor = ::openat(disk().folder(), below(path), flags | O_CLOEXEC, mode);
  if (descriptor < 0) return -errno;
  struct stat status {};
  ::fstat(descriptor, &status);
  info->fh = reinterpret_cast<std::uint64_t>(new Handle{descriptor, status.st_ino});
  info->direct_io = (info->flags & O_DIRECT) != 0;
  info->keep_cache = !info->direct_io;
  return 0;
}

int on_open(const char* path, fuse_file_info* info) {
  return open_file(path, info, info->flags & ~O_CREAT, 0);
}

int on_create(const char* path, mode_t mode, fuse_file_info* info) {
  return open_file(path, info, info->flags | O_CREAT, mode);
}

int on_release(const char*, fuse_file_info* info) {
  ::close(handle(info).descriptor);
  delete &handle(info);
  return 0;
}

int on_read(const char*, char* bytes, std::size_t size, off_t offset, fuse_file_info* info) {
  const Handle& file = handle(info);
  const ssize_t got = ::pread(file.descriptor, bytes, size, offset);
  if (got > 0) wait_until(disk().read(file.inode, offset, static_cast<std::size_t>(got)));
  return result(got);
}

int on_write(const char*, const char* bytes, std::size_t size, off_t offset, fuse_file_info* info) {
  const Handle& file = handle(info);
  const ssize_t put = ::pwrite(file.descriptor, bytes, size, offset);
  if (put > 0) wait_until(disk().write(file.inode, offset, static_cast<std::size_t>(put)));
  return result(put);
}

// The kernel has written back, and waited for, all that it kept before it asks for this.
int on_fsync(const char*, int, fuse_file_info*) {
  return 0;
}

int on_fallocate(const char*, int mode, off_t offset, off_t size, fuse_file_info* info) {
  return result(::fallocate(handle(info).descriptor, mode, offset, size));
}

int on_getattr(const char* path, struct stat* status, fuse_file_info* info) {
  return result(info ? ::fstat(handle(info).descriptor, status)
                     : ::fstatat(disk().folder(), below(path), status, AT_SYMLINK_NOFOLLOW));
}

int on_truncate(const char* path, off_t size, fuse_file_info* info) {
  if (info) return result(::ftruncate(handle(info).descriptor, size));
  const int descriptor = ::openat(disk().folder(), below(path), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  const int status = result(::ftruncate(descriptor, size));
  ::close(descriptor);
  return status;
}

int on_utimens(const char* path, const timespec times[2], fuse_file_info* info) {
  return result(info ? ::futimens(handle(info).descriptor, times)
                     : ::utimensat(disk().folder(), below(path), times, AT_SYMLINK_NOFOLLOW));
}

int on_chmod(const char* path, mode_t mode, fuse_file_info*) {
  return result(::fchmodat(disk().folder(), below(path), mode, 0));
}

int on_unlink(const char* path) {
  return result(::unlinkat(disk().folder(), below(path), 0));
}

int on_mkdir(const char* path, mode_t mode) {
  return result(::mkdirat(disk().folder(), below(path), mode));
}

int on_rmdir(const char* path) {
  return result(::unlinkat(disk().folder(), below(path), AT_REMOVEDIR));
}

int on_rename(const char* from, const char* to, unsigned flags) {
  return result(::renameat2(disk().folder(), below(from), disk().folder(), below(to), flags));
}

int on_statfs(const char*, struct statvfs* status) {
  return result(::fstatvfs(disk().folder(), status));
}

int on_readdir(const char* path, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info*,
               fuse_readdir_flags) {
  const int descriptor = ::openat(disk().folder(), below(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* folder = descriptor < 0 ? nullptr : ::fdopendir(descriptor);
  if (folder == nullptr) return -errno;
  while (const dirent* entry = ::readdir(folder)) {
    fill(buffer, entry->d_name, nullptr, 0, fuse_fill_dir_flags{});
  }
  ::closedir(folder);
  return 0;
}

void* on_init(fuse_conn_info* connection, fuse_config* config) {
  if (connection->capable & FUSE_CAP_WRITEBACK_CACHE) connection->want |= FUSE_CAP_WRITEBACK_CACHE;
  // A real disk's queue is some tens deep. More would only wait in another place.
  connection->max_background = 64;
  config->use_ino = 1;
  // Nobody else changes the folder.
  config->entry_timeout = config->attr_timeout = 60;
  return fuse_get_context()->private_data;
}

fuse_operations operations() {
  fuse_operations o{};
  o.init = on_init;
  o.open = on_open;
  o.create = on_create;
  o.release = on_release;
  o.read = on_read;
  o.write = on_write;
  o.fsync = on_fsync;
  o.fallocate = on_fallocate;
  o.getattr = on_getattr;
  o.truncate = on_truncate;
  o.utimens = on_utimens;
  o.chmod = on_chmod;
  o.unlink = on_unlink;
  o.mkdir = on_mkdir;
  o.rmdir = on_rmdir;
  o.rename = on_rename;
  o.statfs = on_statfs;
  o.readdir = on_readdir;
  return o;
}

Counters* map_counters(const char* path) {
  const int descriptor = ::open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0 || ::ftruncate(descriptor, sizeof(Counters)) != 0) return nullptr;
  void* memory =
      ::mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  ::close(descriptor);
  return memory == MAP_FAILED ? nullptr : static_cast<Counters*>(memory);
}

}  // namespace

int main(int argc, char** argv) {
  const double rate = argc == 6 ? std::atof(argv[3]) : 0;
  const double seek = argc == 6 ? std::atof(argv[4]) : 0;
  if (rate <= 0 || seek < 0) {
    std::fprintf(stderr, "usage: %s FOLDER MOUNT_POINT BYTES_PER_SECOND SEEK_SECONDS COUNTERS\n",
                 argv[0]);
    return 2;
  }
  const int folder = ::open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  Counters* counters = map_counters(argv[5]);
  if (folder < 0 || counters == nullptr) {
    std::perror(folder < 0 ? argv[1] : argv[5]);
    return 1;
  }
  ::umask(0);  // the kernel has applied the caller's
  Disk disk(folder, rate, seek, *counters);
  std::string foreground = "-f";
  std::string option = "-ofsname=slow_disk,subtype=slow_disk,default_permissions";
  std::array<char*, 5> arguments{argv[0], foreground.data(), option.data(), argv[2], nullptr};
  const fuse_operations o = operations();
  return fuse_main(4, arguments.data(), &o, &disk);
}
