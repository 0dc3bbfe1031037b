#include "io/sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

#include "sluice/error.h"

namespace sluice::io {
namespace {

std::optional<std::uint64_t> size_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size);
}

// A file that takes another's place gets its rights; where those are not ours to give, it keeps what
// a new file has.
void copy_rights(const std::string& from, const std::string& to, mode_t more = 0) {
  struct stat status {};
  if (::stat(from.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  if (::chown(to.c_str(), status.st_uid, status.st_gid) == 0 || errno == EPERM) {
    ::chmod(to.c_str(), (status.st_mode & 0777) | more);
  }
}

// Bytes of disk that would be free without this file.
std::uint64_t allocated(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || status.st_nlink > 1) return 0;
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

}  // namespace

std::string work_name_of(const std::string& work_path, std::size_t no) {
  return no == 0 ? work_path : fmt::format("{}-{:05}", work_path, no + 1);
}

void sync_folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  const File handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), folder);
  if (handle.descriptor() >= 0) ::fsync(handle.descriptor());
}

Sink::Sink(std::string work_path, std::vector<SinkPart> parts)
    : work_path_(std::move(work_path)),
      parts_(std::move(parts)),
      files_(parts_.size()),
      named_(parts_.size()) {
  found_ = size_of(work_path_).value_or(0) > 0;  // an empty one was only just made
  files_.front() = OutputFile::open_locked(work_path_);
}

Sink::~Sink() {
  discard();
}

// The first, which is the lock, goes last.
bool Sink::discard() noexcept {
  if (!started_ && !found_) ::unlink(work_path_.c_str());  // made as the lock only
  if (!started_ || keep_ || named_ == 0) return false;
  for (std::size_t no = parts_.size(); no-- > 0;) {
    ::unlink((no < named_ ? work_name(no) : parts_[no].path).c_str());
  }
  started_ = false;
  found_ = true;
  return true;
}

std::string Sink::work_name(std::size_t no) const {
  return work_name_of(work_path_, no);
}

std::size_t Sink::part_at(std::uint64_t offset) const {
  const auto next =
      std::upper_bound(parts_.begin(), parts_.end(), offset,
                       [](std::uint64_t at, const SinkPart& part) { return at < part.begin; });
  return static_cast<std::size_t>(next - parts_.begin()) - 1;
}

OutputFile& Sink::file(std::size_t no) {
  OutputFile& file = files_[no];
  if (!file.is_open()) {
    if (open_.size() == kMostOpen) {
      team_.finish();
      OutputFile& oldest = files_[open_.front()];
      oldest.sync();  // who opens it again is not told of an error that comes later
      oldest = {};
      open_.erase(open_.begin());
    }
    file = OutputFile::open(work_name(no));
    open_.push_back(no);
  }
  return file;
}

bool Sink::has_names() const {
  return std::all_of(parts_.begin(), parts_.end(),
                     [](const SinkPart& part) { return size_of(part.path) == part.size; });
}

void Sink::take_back() {
  for (std::size_t no = 1; no < parts_.size(); ++no) {
    if (!size_of(work_name(no)) && size_of(parts_[no].path) == parts_[no].size) {
      rename(parts_[no].path, work_name(no));
    }
  }
}

std::string Sink::first_unfit() const {
  for (std::size_t no = 0; no < parts_.size(); ++no) {
    if (size_of(work_name(no)) != parts_[no].size) return work_name(no);
  }
  return {};
}

void Sink::require_space() const {
  std::uint64_t missing = 0;
  std::uint64_t older = 0;
  for (std::size_t no = 0; no < parts_.size(); ++no) {
    missing += parts_[no].size - std::min(parts_[no].size, allocated(work_name(no)));
    older += allocated(parts_[no].path);
  }
  const std::uint64_t available = free_space(files_.front().file());
  if (missing > available) throw_no_space(work_path_, missing, available, older);
}

void Sink::reserve() {
  require_space();
  for (std::size_t no = 0; no < parts_.size(); ++no) file(no).reserve(parts_[no].size);
}

void Sink::remove_surplus(std::size_t made) {
  for (std::size_t no = parts_.size(); no < made; ++no) ::unlink(work_name(no).c_str());
}

void Sink::start() {
  started_ = true;
  for (std::size_t no = 0; no < parts_.size(); ++no) {
    file(no).empty();
    copy_rights(parts_[no].path, work_name(no), S_IRUSR | S_IWUSR);
  }
  sync_folder_of(work_path_);
  reserve();
}

void Sink::resume() {
  reserve();
}

void Sink::write_at(std::uint64_t offset, std::span<const std::span<const std::byte>> pieces) {
  const std::size_t no = part_at(offset);
  file(no).write_at(offset - parts_[no].begin, pieces);
}

void Sink::start_write(std::uint64_t offset, std::vector<std::span<const std::byte>> pieces,
                       std::shared_ptr<void> held) {
  const std::size_t no = part_at(offset);
  OutputFile& to = file(no);
  std::uint64_t bytes = 0;
  for (const std::span<const std::byte> piece : pieces) bytes += piece.size();
  team_.start(bytes, [&to, at = offset - parts_[no].begin, pieces = std::move(pieces),
                      held = std::move(held)] { to.write_at(at, pieces); });
}

std::size_t Sink::read_at(std::uint64_t offset, std::span<std::byte> out) {
  const std::size_t no = part_at(offset);
  return file(no).read_at(offset - parts_[no].begin, out);
}

void Sink::sync() {
  team_.finish();
  for (OutputFile& file : files_) {
    if (file.is_open()) file.sync();
  }
}

void Sink::rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    throw Error(ErrorCode::output_write, "cannot be renamed: " + system_message(errno),
                {.file = from, .cure = "Check the folder's rights and run the same command again"});
  }
}

void Sink::commit() {
  sync();
  for (std::size_t no = 0; no < parts_.size(); ++no) copy_rights(parts_[no].path, work_name(no));
  if (parts_.size() > 1) {
    ::unlink(parts_.front().path.c_str());
    sync_folder_of(work_path_);
  }
  for (std::size_t no = parts_.size(); no-- > 0;) {
    if (no == 0 && parts_.size() > 1) sync_folder_of(work_path_);
    rename(work_name(no), parts_[no].path);
    named_ = no;
  }
  sync_folder_of(work_path_);
}

}  // namespace sluice::io
