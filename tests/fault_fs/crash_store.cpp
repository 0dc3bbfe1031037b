#include "crash_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <stdexcept>

namespace fault_fs {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPage = 4096;

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : value_(::open(path.c_str(), flags, 0600)) {
    if (value_ < 0) throw std::runtime_error("cannot open " + path.string());
  }
  ~Descriptor() { ::close(value_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return value_; }

 private:
  int value_;
};

void copy_bytes(int from, int to, std::uint64_t begin, std::uint64_t end) {
  std::vector<char> buffer(1 << 20);
  while (begin < end) {
    const ssize_t got =
        ::pread(from, buffer.data(), std::min<std::uint64_t>(buffer.size(), end - begin),
                static_cast<off_t>(begin));
    if (got <= 0) return;  // the file ends here
    if (::pwrite(to, buffer.data(), static_cast<std::size_t>(got), static_cast<off_t>(begin)) !=
        got) {
      throw std::runtime_error("cannot write to the store");
    }
    begin += static_cast<std::uint64_t>(got);
  }
}

}  // namespace

CrashStore::CrashStore(fs::path live, fs::path store)
    : live_(std::move(live)), store_(std::move(store)) {
  adopt();
}

void CrashStore::adopt() {
  names_.clear();
  dirty_.clear();
  fs::remove_all(store_);
  fs::create_directories(store_);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(live_)) {
    if (!entry.is_regular_file()) continue;
    const Id id = created(fs::path("/") / fs::relative(entry.path(), live_));
    fs::copy_file(entry.path(), safe_copy(id), fs::copy_options::overwrite_existing);
  }
  safe_names_ = names_;
}

CrashStore::Id CrashStore::find(const std::string& path) const {
  const auto it = names_.find(path);
  return it == names_.end() ? 0 : it->second;
}

// A second name keeps the bytes of a file that is removed later.
CrashStore::Id CrashStore::created(const std::string& path) {
  const Id id = ++last_;
  names_[path] = id;
  fs::create_hard_link(live_.string() + path, live_copy(id));
  Descriptor(safe_copy(id), O_WRONLY | O_CREAT | O_TRUNC);
  return id;
}

void CrashStore::renamed(const std::string& from, const std::string& to) {
  const auto moved = names_.extract(from);
  if (!moved.empty()) names_[to] = moved.mapped();
}

void CrashStore::changed(Id id, std::uint64_t begin, std::uint64_t end) {
  if (begin < end) dirty_[id].push_back({begin, end});
}

void CrashStore::synced(Id id) {
  const Descriptor from(live_copy(id), O_RDONLY);
  const Descriptor to(safe_copy(id), O_WRONLY);
  for (const Range& range : dirty_[id]) copy_bytes(from, to, range.begin, range.end);
  fs::resize_file(safe_copy(id), fs::file_size(live_copy(id)));
  dirty_.erase(id);
}

void CrashStore::folder_synced(const std::string& path) {
  const auto is_in = [&](const auto& name) { return fs::path(name.first).parent_path() == path; };
  std::erase_if(safe_names_, is_in);
  for (const auto& name : names_) {
    if (is_in(name)) safe_names_.insert(name);
  }
}

void CrashStore::lose_power(const Outcome& outcome) {
  std::mt19937_64 coin(outcome.seed);
  const Names left = outcome.names_kept ? names_ : safe_names_;
  for (const auto& [name, id] : left) {
    const Descriptor from(live_copy(id), O_RDONLY);
    const Descriptor to(safe_copy(id), O_WRONLY);
    if (outcome.data == Outcome::Data::kept) synced(id);
    if (outcome.data != Outcome::Data::torn) continue;
    for (const Range& range : dirty_[id]) {
      for (std::uint64_t page = range.begin / kPage * kPage; page < range.end; page += kPage) {
        if (coin() % 2 == 0) {
          copy_bytes(from, to, std::max(page, range.begin), std::min(page + kPage, range.end));
        }
      }
    }
  }
  for (const auto& [name, id] : names_) fs::remove(live_.string() + name);
  for (const auto& [name, id] : left) {
    fs::copy_file(safe_copy(id), live_.string() + name, fs::copy_options::overwrite_existing);
  }
  adopt();
}

}  // namespace fault_fs
