#include "io/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "io/http/network.h"
#include "io/http/remote_file.h"
#include "io/http/retries.h"
#include "sluice/error.h"
#include "sluice/used_files.h"

namespace sluice::io {
namespace {

struct stat status_of(int descriptor, const std::string& path) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) {
    throw Error(ErrorCode::input_read, "cannot be examined: " + system_message(errno),
                {.file = path});
  }
  return status;
}

std::int64_t nanoseconds(const timespec& time) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return time.tv_sec * kSecond + time.tv_nsec;
}

std::shared_ptr<const RemoteFile> open_remote(const std::string& name,
                                              const std::atomic<bool>* stop) {
  std::shared_ptr<Network> network = Network::current();
  const Url origin = is_hub_name(name)
                         ? network->hub.place_of(name, *network->hub.listing(name, stop))
                         : parse_url(name);
  return std::make_shared<const RemoteFile>(masked(name), origin, std::move(network), stop);
}

std::uint64_t hash_of(std::string_view text) {
  return ::XXH3_64bits(text.data(), text.size());
}

}  // namespace

std::string system_message(int error_number) {
  return std::generic_category().message(error_number);
}

File::File(File&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      remote_(std::move(other.remote_)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  std::swap(remote_, other.remote_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

File File::open_input(const std::string& path, const std::atomic<bool>* stop) {
  if (is_url(path)) {
    File file(-1, masked(path));
    file.remote_ = open_remote(path, stop);
    return file;
  }
  // A pipe that nobody writes to must not hold the run up.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    const int reason = errno;
    throw Error(ErrorCode::input_open, "cannot be opened: " + system_message(reason),
                {.file = path,
                 .cure = open_cure(reason, reason == EACCES ? "Give yourself the right to read it"
                                                            : "Check the name and the folder")});
  }
  File file(descriptor, path);
  if (!S_ISREG(status_of(descriptor, path).st_mode)) {
    throw Error(ErrorCode::input_open, "is not a regular file",
                {.file = path, .cure = "Name a file on a disk, not a folder, pipe or device"});
  }
  ::fcntl(descriptor, F_SETFL, 0);  // io_uring would not wait for the disk else
  return file;
}

std::optional<File> File::open_if_there(const std::string& url, const std::atomic<bool>* stop) {
  try {
    return open_input(url, stop);
  } catch (const Refused& refused) {
    // Stores that show no lists of what they have answer 403.
    if (refused.status == 403 || refused.status == 404 || refused.status == 410)
      return std::nullopt;
    throw;
  }
}

std::uint64_t File::size() const {
  if (remote_) return remote_->size();
  return static_cast<std::uint64_t>(status_of(descriptor_, path_).st_size);
}

FileIdentity File::identity() const {
  // No file system has this number.
  if (remote_) return {~std::uint64_t{0}, hash_of(remote_->origin().text())};
  const struct stat status = status_of(descriptor_, path_);
  return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)};
}

FileState File::state() const {
  // Every answer of the server was held against these.
  if (remote_) return {remote_->size(), static_cast<std::int64_t>(hash_of(remote_->etag()))};
  const struct stat status = status_of(descriptor_, path_);
  return {static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim)};
}

std::int64_t File::changed_ns() const {
  if (remote_) return 0;
  return nanoseconds(status_of(descriptor_, path_).st_ctim);
}

std::string File::etag() const {
  return remote_ ? remote_->etag() : std::string();
}

void File::forget_start() const {
  if (remote_) remote_->forget_start();
}

std::size_t File::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  if (remote_) return remote_->read_at(offset, out);
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(descriptor_, out.data() + done, out.size() - done,
                                static_cast<off_t>(offset + done));
    if (got < 0) {
      if (errno == EINTR) continue;
      throw Error(ErrorCode::input_read, "cannot be read: " + system_message(errno),
                  {.file = path_, .offset = offset + done, .cure = "Check the disk"});
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

// In pieces: of one request the kernel reads no more than the larger of its read-ahead window and
// the device's largest transfer, and forgets the rest. No device has less than 128 KiB for both.
void File::prefetch(std::uint64_t begin, std::uint64_t size) const noexcept {
  constexpr std::uint64_t kPiece = std::uint64_t{128} << 10;
  for (const std::uint64_t end = begin + size; begin < end; begin += kPiece) {
    ::posix_fadvise(descriptor_, static_cast<off_t>(begin),
                    static_cast<off_t>(std::min(kPiece, end - begin)), POSIX_FADV_WILLNEED);
  }
}

void File::drop_cached(std::uint64_t begin, std::uint64_t end) const noexcept {
  if (begin < end) {
    ::posix_fadvise(descriptor_, static_cast<off_t>(begin), static_cast<off_t>(end - begin),
                    POSIX_FADV_DONTNEED);
  }
}

}  // namespace sluice::io
