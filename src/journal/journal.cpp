#include "journal/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "io/sink.h"
#include "sluice/error.h"
#include "sluice/used_files.h"

namespace sluice::journal {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are stored as they are");

constexpr std::string_view kMagic = "sluiceJ1";
constexpr std::size_t kHeaderSize = 8 + 4 + 8;

// One record for each write and each tensor: a hundred thousand are 4 MB. No journal is this large.
constexpr std::uint64_t kLargestJournal = std::uint64_t{256} << 20;

struct StoredRecord {
  std::uint64_t begin;
  std::uint64_t end;
  std::uint64_t hash;
  std::uint32_t crc32;
  std::uint32_t zero;
  std::uint64_t check;
};
static_assert(sizeof(StoredRecord) == 40);

std::uint64_t check_of(const StoredRecord& record, std::uint64_t binding_hash,
                       std::uint64_t number) {
  return XXH3_64bits_withSeed(&record, offsetof(StoredRecord, check), binding_hash + number);
}

template <class T>
T load_number(std::span<const std::byte> bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::uint64_t hash_of(std::string_view text) {
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace

IntervalSet ranges_of(std::span<const Record> records) {
  IntervalSet set;
  for (const Record& record : records) set.add(record.range);
  return set;
}

std::optional<Contents> parse(std::span<const std::byte> file) {
  if (file.size() < kHeaderSize || std::memcmp(file.data(), kMagic.data(), kMagic.size()) != 0) {
    return std::nullopt;
  }
  const auto length = load_number<std::uint32_t>(file, 8);
  const auto binding_hash = load_number<std::uint64_t>(file, 12);
  if (length > file.size() - kHeaderSize) return std::nullopt;
  Contents contents;
  contents.binding.assign(reinterpret_cast<const char*>(file.data()) + kHeaderSize, length);
  if (hash_of(contents.binding) != binding_hash) return std::nullopt;
  contents.size = kHeaderSize + length;
  for (std::uint64_t number = 0; file.size() - contents.size >= sizeof(StoredRecord); ++number) {
    const auto record = load_number<StoredRecord>(file, contents.size);
    contents.size += sizeof record;
    if (record.check != check_of(record, binding_hash, number) || record.begin >= record.end) {
      ++contents.damaged;
      continue;
    }
    contents.records.push_back({{record.begin, record.end}, record.hash, record.crc32});
  }
  contents.torn = contents.size < file.size();
  return contents;
}

std::optional<Contents> Journal::load() const {
  const io::File file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC), path_);
  if (file.descriptor() < 0) {
    const int reason = errno;
    if (reason == ENOENT) return std::nullopt;
    throw Error(ErrorCode::output_open, "cannot be opened: " + io::system_message(reason),
                {.file = path_,
                 .cure = open_cure(reason,
                                   "Give yourself the right to read it, or name another "
                                   "output")});
  }
  try {
    if (file.size() > kLargestJournal) return std::nullopt;
    std::vector<std::byte> bytes(file.size());
    bytes.resize(file.read_at(0, bytes));
    return parse(bytes);
  } catch (const Error& error) {
    throw Error(ErrorCode::output_open, error);
  }
}

bool Journal::there() const {
  struct stat status {};
  return ::lstat(path_.c_str(), &status) == 0;
}

std::string Journal::keep_copy() const {
  std::string copy = path_ + ".damaged";
  for (int no = 2; std::filesystem::exists(copy); ++no) {
    copy = fmt::format("{}.damaged-{}", path_, no);
  }
  std::error_code failed;
  std::filesystem::copy_file(path_, copy, failed);
  if (failed) {
    throw Error(ErrorCode::output_open,
                "is damaged, and cannot be kept as " + copy + ": " + failed.message(),
                {.file = path_, .cure = "Move it away, or pass --restart to begin anew"});
  }
  return copy;
}

void Journal::open(int flags) {
  file_ = io::File(::open(path_.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666), path_);
  if (file_.descriptor() < 0) {
    const int reason = errno;
    throw Error(ErrorCode::output_open, "cannot be opened: " + io::system_message(reason),
                {.file = path_,
                 .cure = open_cure(reason,
                                   "Give yourself the right to write to the output's "
                                   "folder")});
  }
}

void Journal::start(std::string binding) {
  replace({.binding = std::move(binding), .records = {}});
}

void Journal::resume(const Contents& contents) {
  open(0);
  binding_ = contents.binding;
  records_ = contents.records.size();
  size_ = contents.size;
  if (::ftruncate(file_.descriptor(), static_cast<off_t>(size_)) != 0) {
    throw Error(ErrorCode::output_write, "cannot be shortened: " + io::system_message(errno),
                {.file = path_, .cure = "Check the disk"});
  }
}

void Journal::replace(const Contents& contents) {
  Journal fresh(path_ + ".new");
  fresh.open(O_CREAT | O_TRUNC);
  try {
    fresh.binding_ = contents.binding;
    fresh.write_header();
    for (const Record& record : contents.records) fresh.append(record);
    fresh.commit();
    if (std::rename(fresh.path_.c_str(), path_.c_str()) != 0) {
      throw Error(ErrorCode::output_write, "cannot be replaced: " + io::system_message(errno),
                  {.file = path_, .cure = "Check the folder's rights"});
    }
  } catch (...) {
    fresh.remove();
    throw;
  }
  io::sync_folder_of(path_);
  fresh.path_ = std::move(path_);
  *this = std::move(fresh);
}

void Journal::append(const Record& record) {
  StoredRecord stored{record.range.begin, record.range.end, record.hash, record.crc32, 0, 0};
  stored.check = check_of(stored, hash_of(binding_), records_++);
  const auto* bytes = reinterpret_cast<const std::byte*>(&stored);
  pending_.insert(pending_.end(), bytes, bytes + sizeof stored);
}

// Counts the bytes only when all are written: a call after a failure begins at the same place.
void Journal::write(std::span<const std::byte> bytes) {
  std::uint64_t end = size_;
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(file_.descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(end));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      const bool full = errno == ENOSPC || errno == EDQUOT;
      throw Error(full ? ErrorCode::output_no_space : ErrorCode::output_write,
                  "cannot be written: " + io::system_message(errno),
                  {.file = path_,
                   .cure = std::string(full ? "Free some space" : "Check the disk") +
                           " and run the same command again"});
    }
    end += static_cast<std::uint64_t>(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  size_ = end;
}

void Journal::write_header() {
  const auto length = static_cast<std::uint32_t>(binding_.size());
  const std::uint64_t hash = hash_of(binding_);
  std::string header(kMagic);
  header.append(reinterpret_cast<const char*>(&length), sizeof length);
  header.append(reinterpret_cast<const char*>(&hash), sizeof hash);
  header += binding_;
  write(std::as_bytes(std::span(header)));
}

void Journal::commit() {
  write(pending_);
  pending_.clear();
  if (::fdatasync(file_.descriptor()) != 0) {
    throw Error(ErrorCode::output_write, "cannot be synced: " + io::system_message(errno),
                {.file = path_, .cure = "Check the disk and run the same command again"});
  }
}

void Journal::remove() {
  file_ = {};
  ::unlink(path_.c_str());
}

}  // namespace sluice::journal
