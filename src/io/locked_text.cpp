#include "io/locked_text.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

#include "io/sink.h"
#include "sluice/error.h"
#include "sluice/used_files.h"

namespace sluice::io {
namespace {

// Some lines for each part, of which there are 65535 at most, and what they are bound to.
constexpr std::uint64_t kLargestText = std::uint64_t{16} << 20;

std::string read_text(const File& file) {
  std::string text(std::min(file.size(), kLargestText), '\0');
  text.resize(file.read_at(0, std::as_writable_bytes(std::span(text))));
  return text;
}

bool is_at(const std::string& path, const File& file) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 &&
         file.identity() == FileIdentity{static_cast<std::uint64_t>(status.st_dev),
                                         static_cast<std::uint64_t>(status.st_ino)};
}

}  // namespace

LockedText::LockedText(const std::string& path) {
  do {  // again if it was removed while this waited
    file_ = File(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666), path);
    if (file_.descriptor() < 0) {
      const int reason = errno;
      throw Error(
          ErrorCode::output_open, "cannot be created: " + system_message(reason),
          {.file = path,
           .cure = open_cure(reason, "Name a folder that exists and that you may write to")});
    }
    while (::flock(file_.descriptor(), LOCK_EX) != 0 && errno == EINTR) {
    }
  } while (!is_at(path, file_));
  try {
    text_ = read_text(file_);
  } catch (const Error& error) {
    throw Error(ErrorCode::output_open, error);
  }
}

LockedText::~LockedText() {
  if (text_.empty()) ::unlink(file_.path().c_str());
}

void LockedText::append(std::string_view lines) {
  const std::size_t end = text_.rfind('\n');  // what follows was cut off
  write(end == std::string::npos ? 0 : end + 1, lines);
}

void LockedText::replace(std::string_view lines) {
  write(0, lines);
}

void LockedText::write(std::size_t kept, std::string_view lines) {
  const auto fail = [&](int reason) {
    const bool full = reason == ENOSPC || reason == EDQUOT;
    throw Error(full ? ErrorCode::output_no_space : ErrorCode::output_write,
                "cannot be written: " + system_message(reason),
                {.file = file_.path(),
                 .cure = std::string(full ? "Free some space" : "Check the disk") +
                         " and run the same command again"});
  };
  const bool made = text_.empty();
  text_.resize(kept);
  if (::ftruncate(file_.descriptor(), static_cast<off_t>(kept)) != 0) fail(errno);
  while (!lines.empty()) {
    const ssize_t put =
        ::pwrite(file_.descriptor(), lines.data(), lines.size(), static_cast<off_t>(text_.size()));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail(errno);
    text_ += lines.substr(0, static_cast<std::size_t>(put));
    lines.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fdatasync(file_.descriptor()) != 0) fail(errno);
  if (made) sync_folder_of(file_.path());
}

std::string text_of_file(const std::string& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC), path);
  return file.descriptor() < 0 ? "" : read_text(file);
}

}  // namespace sluice::io
