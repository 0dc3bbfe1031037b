// A file system that passes everything on to a folder, except what a test wants to go wrong.
//
//   fault_fs BACKING MOUNT_POINT
//
// Files are kept in BACKING/live; BACKING/store is what a power cut would leave. The file
// /.control takes commands, one a line, each with effect when its write returns, and gives counts
// of operations when it is read:
//
//   on OP [skip=N] [times=N] [at=OFFSET] [file=ENDING] do ACTION     see fault_rules.h
//   short N        reads give N bytes at most (and files opened from now on cannot be mapped)
//   slow RATE      reads take as long as on a disk of RATE bytes a second
//   no-direct      opening with O_DIRECT is refused
//   no-direct-reads  it is accepted, but then reads are refused
//   space N        after N more bytes, writes fail with ENOSPC, partial ones at the end
//   free N         how much space the file system says that it has
//   power-off      everything fails with EIO from now on
//   power-on [data=lost|kept|torn:SEED] [names=lost|kept]             see crash_store.h
//   clear          ends all of this but a power-off

#define FUSE_USE_VERSION 31

#include <fcntl.h>
#include <fuse.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "crash_store.h"
#include "fault_rules.h"

namespace fault_fs {
namespace {

namespace fs = std::filesystem;

const std::string kControl = "/.control";

struct State {
  explicit State(const fs::path& backing)
      : live(backing / "live"), crash(live, backing / "store") {}

  const fs::path live;
  CrashStore crash;
  FaultRules rules;
  bool off = false;
  int boots = 0;
  bool direct_opens = true;
  bool direct_reads = true;
  std::optional<std::uint64_t> short_reads;
  std::optional<std::uint64_t> read_rate;
  std::optional<std::uint64_t> space;
  std::optional<std::uint64_t> free;
};

std::unique_ptr<State> state;

// An open file. One that was opened before a power cut is of no use after it.
struct Handle {
  int descriptor;
  CrashStore::Id id;
  std::string path;
  bool direct;
  int boot = state->boots;
};

Handle* handle(const fuse_file_info* info) {
  return reinterpret_cast<Handle*>(info->fh);
}

std::string real(const char* path) {
  return state->live.string() + path;
}

int result(int returned) {
  return returned < 0 ? -errno : 0;
}

// 0, or the error that the operation shall meet.
int meet(const char* op, const std::string& file, std::uint64_t offset = 0,
         std::uint64_t size = 0) {
  if (state->off) return -EIO;
  const std::optional<Fault> fault = state->rules.meet(op, file, offset, size);
  if (!fault) return 0;
  switch (fault->kind) {
    case Fault::Kind::error:
      return -static_cast<int>(fault->value);
    case Fault::Kind::shrink:
      return result(::truncate(real(file.c_str()).c_str(), static_cast<off_t>(fault->value)));
    case Fault::Kind::power_off:
      state->off = true;
  }
  return -EIO;
}

int meet(const char* op, const Handle& file, std::uint64_t offset = 0, std::uint64_t size = 0) {
  return file.boot != state->boots ? -EIO : meet(op, file.path, offset, size);
}

// Commands.

CrashStore::Outcome parse_outcome(std::istream& words) {
  using Data = CrashStore::Outcome::Data;
  const std::string kTorn = "data=torn:";
  CrashStore::Outcome outcome;
  for (std::string word; words >> word;) {
    if (word.starts_with(kTorn)) {
      outcome.data = Data::torn;
      outcome.seed = std::stoull(word.substr(kTorn.size()));
    } else if (word == "data=kept" || word == "data=lost") {
      outcome.data = word == "data=kept" ? Data::kept : Data::lost;
    } else if (word == "names=kept" || word == "names=lost") {
      outcome.names_kept = word == "names=kept";
    } else {
      throw std::invalid_argument("no such outcome: " + word);
    }
  }
  return outcome;
}

void obey(const std::string& line) {
  std::istringstream words(line);
  const auto number = [&] {
    std::string word;
    words >> word;
    return std::stoull(word);
  };
  std::string command;
  words >> command;
  if (command == "on") {
    std::string rest;
    std::getline(words, rest);
    state->rules.add(rest);
  } else if (command == "short") {
    state->short_reads = number();
  } else if (command == "slow") {
    state->read_rate = number();
  } else if (command == "no-direct") {
    state->direct_opens = false;
  } else if (command == "no-direct-reads") {
    state->direct_reads = false;
  } else if (command == "space") {
    state->space = number();
  } else if (command == "free") {
    state->free = number();
  } else if (command == "power-off") {
    state->off = true;
  } else if (command == "power-on") {
    state->crash.lose_power(parse_outcome(words));
    state->off = false;
    ++state->boots;
  } else if (command == "clear") {
    state->rules.clear();
    state->direct_opens = state->direct_reads = true;
    state->short_reads.reset();
    state->read_rate.reset();
    state->space.reset();
    state->free.reset();
  } else {
    throw std::invalid_argument("no such command: " + command);
  }
}

int obey_all(const std::string& text) {
  std::istringstream lines(text);
  try {
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty()) obey(line);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fault_fs: %s\n", error.what());
    return -EINVAL;
  }
  return static_cast<int>(text.size());
}

// Files.

int get_attributes(const char* path, struct stat* status, fuse_file_info* info) {
  if (path != nullptr && path == kControl) {
    *status = {};
    status->st_mode = S_IFREG | 0600;
    status->st_nlink = 1;
    return 0;
  }
  if (state->off) return -EIO;
  const int got = info != nullptr ? ::fstat(handle(info)->descriptor, status)
                                  : ::lstat(real(path).c_str(), status);
  if (got == 0 && S_ISREG(status->st_mode)) status->st_nlink = 1;  // the crash store has another
  return result(got);
}

int set_attributes(const char* path, mode_t mode, fuse_file_info*) {
  return state->off ? -EIO : result(::chmod(real(path).c_str(), mode));
}

int set_times(const char* path, const timespec times[2], fuse_file_info*) {
  return state->off ? -EIO : result(::utimensat(AT_FDCWD, real(path).c_str(), times, 0));
}

std::uint64_t size_of(int descriptor) {
  struct stat status {};
  ::fstat(descriptor, &status);
  return static_cast<std::uint64_t>(status.st_size);
}

int open_real(const char* path, int flags, mode_t mode, fuse_file_info* info) {
  // The backing folder's own alignment rules are not what is tested.
  const int descriptor = ::open(real(path).c_str(), flags & ~(O_DIRECT | O_APPEND), mode);
  if (descriptor < 0) return -errno;
  const CrashStore::Id id =
      (flags & O_CREAT) != 0 ? state->crash.created(path) : state->crash.find(path);
  info->fh =
      reinterpret_cast<std::uint64_t>(new Handle{descriptor, id, path, (flags & O_DIRECT) != 0});
  info->direct_io = state->short_reads.has_value();
  return 0;
}

int open_file(const char* path, fuse_file_info* info) {
  if (path == kControl) {
    info->direct_io = 1;
    info->fh = 0;
    return 0;
  }
  if (const int error = meet("open", path)) return error;
  if ((info->flags & O_DIRECT) != 0 && !state->direct_opens) return -EINVAL;
  struct stat before {};
  if ((info->flags & O_TRUNC) != 0) ::stat(real(path).c_str(), &before);
  const int error = open_real(path, info->flags, 0, info);
  if (error == 0) {
    state->crash.changed(handle(info)->id, 0, static_cast<std::uint64_t>(before.st_size));
  }
  return error;
}

int create_file(const char* path, mode_t mode, fuse_file_info* info) {
  if (const int error = meet("create", path)) return error;
  if ((info->flags & O_DIRECT) != 0 && !state->direct_opens) return -EINVAL;
  return open_real(path, info->flags | O_CREAT, mode, info);
}

int close_file(const char*, fuse_file_info* info) {
  const std::unique_ptr<Handle> file(handle(info));
  if (file) ::close(file->descriptor);
  return 0;
}

int read_file(const char*, char* buffer, std::size_t size, off_t offset, fuse_file_info* info) {
  if (info->fh == 0) {
    const std::string text = state->rules.counts();
    const std::size_t begin = std::min(static_cast<std::size_t>(offset), text.size());
    return static_cast<int>(text.copy(buffer, size, begin));
  }
  const Handle& file = *handle(info);
  if (const int error = meet("read", file, static_cast<std::uint64_t>(offset), size)) return error;
  if (file.direct && !state->direct_reads) return -EINVAL;
  const ssize_t got =
      ::pread(file.descriptor, buffer, std::min(size, state->short_reads.value_or(size)), offset);
  if (got > 0 && state->read_rate) {
    std::this_thread::sleep_for(std::chrono::duration<double>(
        static_cast<double>(got) / static_cast<double>(*state->read_rate)));
  }
  return got < 0 ? -errno : static_cast<int>(got);
}

int write_file(const char*, const char* bytes, std::size_t size, off_t offset,
               fuse_file_info* info) {
  if (info->fh == 0) return obey_all(std::string(bytes, size));
  const Handle& file = *handle(info);
  const auto begin = static_cast<std::uint64_t>(offset);
  if (const int error = meet("write", file, begin, size)) return error;
  if (state->space) {
    size = std::min(size, *state->space);
    if (size == 0) return -ENOSPC;
  }
  const std::uint64_t before = size_of(file.descriptor);
  const ssize_t put = ::pwrite(file.descriptor, bytes, size, offset);
  if (put < 0) return -errno;
  if (state->space) *state->space -= static_cast<std::uint64_t>(put);
  state->crash.changed(file.id, std::min(before, begin), begin + static_cast<std::uint64_t>(put));
  return static_cast<int>(put);
}

int sync_file(const char*, int, fuse_file_info* info) {
  const Handle& file = *handle(info);
  if (const int error = meet("fsync", file)) return error;
  state->crash.synced(file.id);
  return 0;
}

int truncate_file(const char* path, off_t size, fuse_file_info* info) {
  // Without `info`: truncate(2), by path.
  if (info == nullptr && path == kControl) return 0;
  const int error = info != nullptr ? meet("truncate", *handle(info)) : meet("truncate", path);
  if (error != 0) return error;
  const int descriptor =
      info != nullptr ? ::dup(handle(info)->descriptor) : ::open(real(path).c_str(), O_WRONLY);
  if (descriptor < 0) return -errno;
  const std::uint64_t before = size_of(descriptor);
  const auto after = static_cast<std::uint64_t>(size);
  const int done = result(::ftruncate(descriptor, size));
  ::close(descriptor);
  if (done == 0) {
    state->crash.changed(info != nullptr ? handle(info)->id : state->crash.find(path),
                         std::min(before, after), std::max(before, after));
  }
  return done;
}

int allocate(const char*, int mode, off_t offset, off_t length, fuse_file_info* info) {
  const Handle& file = *handle(info);
  const auto begin = static_cast<std::uint64_t>(offset);
  const auto end = begin + static_cast<std::uint64_t>(length);
  if (const int error = meet("fallocate", file, begin, end - begin)) return error;
  const std::uint64_t before = size_of(file.descriptor);
  const int done = result(::fallocate(file.descriptor, mode, offset, length));
  if (done == 0) state->crash.changed(file.id, mode == 0 ? before : begin, end);
  return done;
}

// Names.

int remove_file(const char* path) {
  if (const int error = meet("unlink", path)) return error;
  const int done = result(::unlink(real(path).c_str()));
  if (done == 0) state->crash.removed(path);
  return done;
}

int rename_file(const char* from, const char* to, unsigned flags) {
  if (flags != 0) return -EINVAL;
  if (const int error = meet("rename", from)) return error;
  const int done = result(::rename(real(from).c_str(), real(to).c_str()));
  if (done == 0) state->crash.renamed(from, to);
  return done;
}

int make_folder(const char* path, mode_t mode) {
  return state->off ? -EIO : result(::mkdir(real(path).c_str(), mode));
}

int remove_folder(const char* path) {
  return state->off ? -EIO : result(::rmdir(real(path).c_str()));
}

int open_folder(const char* path, fuse_file_info* info) {
  if (state->off) return -EIO;
  info->fh = reinterpret_cast<std::uint64_t>(new std::string(path));
  return 0;
}

const std::string& folder(const fuse_file_info* info) {
  return *reinterpret_cast<const std::string*>(info->fh);
}

int close_folder(const char*, fuse_file_info* info) {
  delete &folder(info);
  return 0;
}

int list_folder(const char*, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info* info,
                fuse_readdir_flags) {
  if (state->off) return -EIO;
  for (const fs::directory_entry& entry : fs::directory_iterator(real(folder(info).c_str()))) {
    fill(buffer, entry.path().filename().c_str(), nullptr, 0, fuse_fill_dir_flags{});
  }
  return 0;
}

int sync_folder(const char*, int, fuse_file_info* info) {
  if (const int error = meet("fsyncdir", folder(info))) return error;
  state->crash.folder_synced(folder(info));
  return 0;
}

int file_system_status(const char* path, struct statvfs* status) {
  if (state->off) return -EIO;
  const int done = result(::statvfs(real(path).c_str(), status));
  if (done == 0 && state->free) {
    status->f_bfree = status->f_bavail = *state->free / status->f_frsize;
  }
  return done;
}

void* start(fuse_conn_info*, fuse_config* config) {
  // The kernel asks each time: sizes change behind its back.
  config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
  config->use_ino = 1;
  config->hard_remove = 1;  // no hidden files in place of removed ones
  config->nullpath_ok = 1;
  return nullptr;
}

fuse_operations operations() {
  fuse_operations table{};
  table.init = start;
  table.getattr = get_attributes;
  table.chmod = set_attributes;
  table.utimens = set_times;
  table.open = open_file;
  table.create = create_file;
  table.release = close_file;
  table.read = read_file;
  table.write = write_file;
  table.fsync = sync_file;
  table.truncate = truncate_file;
  table.fallocate = allocate;
  table.unlink = remove_file;
  table.rename = rename_file;
  table.mkdir = make_folder;
  table.rmdir = remove_folder;
  table.opendir = open_folder;
  table.releasedir = close_folder;
  table.readdir = list_folder;
  table.fsyncdir = sync_folder;
  table.statfs = file_system_status;
  return table;
}

}  // namespace
}  // namespace fault_fs

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "use: fault_fs BACKING MOUNT_POINT\n");
    return 2;
  }
  const std::string backing = fault_fs::fs::absolute(arguments[1]);
  fault_fs::state = std::make_unique<fault_fs::State>(backing);
  // In the foreground and with one thread: operations come one after the other.
  char* words[] = {arguments[0], arguments[2], const_cast<char*>("-f"), const_cast<char*>("-s")};
  const fuse_operations table = fault_fs::operations();
  return fuse_main(4, words, &table, nullptr);
}
