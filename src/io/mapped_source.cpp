#include "io/mapped_source.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "base/checked.h"
#include "io/brought_pages.h"
#include "io/mapping.h"
#include "sluice/error.h"
#include "sluice/used_files.h"

namespace sluice::io {
namespace {

/// Which pages of a file nobody needs any more. Ranges share pages with their neighbours, and the
/// page cache's folios with more of them; such a page is given back with the last range in it.
class Window {
 public:
  void begin_use(const ReadRange& range) {
    const std::lock_guard lock(mutex_);
    in_use_.emplace(range.offset, range.offset + range.size);
    read_until_ = std::max(read_until_, range.offset + range.size);
  }

  /// Ends the use of a range and takes its pages out of the mapping, and those that were brought in
  /// out of the page cache.
  void end_use(const ReadRange& range, const Mapping& mapping, BroughtPages& brought) {
    // Held until the pages are gone: a range whose use begins meanwhile must find them again.
    const std::lock_guard lock(mutex_);
    const std::uint64_t range_end = range.offset + range.size;
    const auto [first_use, last_use] = in_use_.equal_range(range.offset);
    const auto next = in_use_.erase(
        std::find(first_use, last_use,
                  std::pair<const std::uint64_t, std::uint64_t>(range.offset, range_end)));
    const std::uint64_t used_before = next == in_use_.begin() ? 0 : std::prev(next)->second;
    const std::uint64_t used_after = next == in_use_.end() ? UINT64_MAX : next->first;
    if (used_before > range.offset || used_after < range_end) return;  // another use goes on
    const std::uint64_t end = std::min<std::uint64_t>(range_end, mapping.bytes().size());
    constexpr std::uint64_t kPage = CachedPages::kPage;
    std::uint64_t first = align_down(range.offset, kPage);
    std::uint64_t last = align_up(end, kPage);
    if (first < used_before) first += kPage;
    if (last > used_after) last -= kPage;
    // The mapping's reference must go first: fadvise leaves mapped pages alone. mapped_region's own
    // advise is posix_madvise, which ignores DONTNEED on Linux.
    if (first < last) {
      const auto address = reinterpret_cast<std::uintptr_t>(mapping.bytes().data());
      ::madvise(reinterpret_cast<void*>(address + first), last - first, MADV_DONTNEED);
    }
    // Mapped pages of neighbours stay. Those that were read ahead, or are on their way, are not
    // mapped yet: of the folio at the end, only what was used goes, and the rest with its own
    // range.
    const std::uint64_t folio_end = align_up(end, File::kLargestFolio);
    const bool whole_folio = folio_end <= std::min(used_after, read_until_);
    brought.drop(align_down(range.offset, File::kLargestFolio), whole_folio ? folio_end : end);
  }

 private:
  std::mutex mutex_;
  std::multimap<std::uint64_t, std::uint64_t> in_use_;  // ranges: offset and end
  std::uint64_t read_until_ = 0;                        // the end of the last range
};

class MappedSource final : public Source {
 public:
  MappedSource(std::vector<const File*> files, std::vector<Mapping> mappings)
      : files_(std::move(files)), mappings_(std::move(mappings)), windows_(files_.size()) {
    for (const File* file : files_) brought_.emplace_back(*file);
  }

  std::string_view name() const override { return "mmap"; }
  bool has_own_bytes() const override { return true; }
  std::string unseen_file() const override { return first_unseen(files_, brought_); }
  std::uint64_t found_bytes() const override { return found_; }

  void read(const ReadRange& range, std::span<std::byte>, ReadDone done) override {
    const Mapping& mapping = mappings_[range.part];
    windows_[range.part].begin_use(range);
    std::span<const std::byte> bytes;
    std::exception_ptr error;
    try {
      // A mapping that is shorter than the range was made after the file shrank.
      if (range.offset + range.size > mapping.bytes().size()) {
        error = shrunk_error(*files_[range.part], mapping.bytes().size());
      } else {
        bytes = mapping.bytes().subspan(range.offset, range.size);
        bring_in(range);
        error = mapping.fault_before(range.offset + range.size, *files_[range.part]);
      }
    } catch (...) {
      error = std::current_exception();
    }
    done(bytes, error);
  }

  void fill(const ReadRange& range, std::span<const std::byte>) override {
    mappings_[range.part].populate(range.offset, range.size);
  }

  void check(const ReadRange& range) const override {
    const std::exception_ptr error =
        mappings_[range.part].fault_before(range.offset + range.size, *files_[range.part]);
    if (error) std::rethrow_exception(error);
  }

  void release(const ReadRange& range) override {
    windows_[range.part].end_use(range, mappings_[range.part], brought_[range.part]);
  }

 private:
  void bring_in(const ReadRange& range) {
    BroughtPages& brought = brought_[range.part];
    const std::uint64_t end = range.offset + range.size;
    if (brought.look(range.offset, end + kReadAhead)) {
      files_[range.part]->prefetch(range.offset, range.size + kReadAhead);
    }
    const std::uint64_t found = brought.bytes_found(range.offset, end);
    found_ += found;
    // On this thread, so that compute workers do not wait for the disk; what needs none is theirs.
    if (found < range.size) mappings_[range.part].populate(range.offset, range.size);
  }

  const std::vector<const File*> files_;
  std::vector<Mapping> mappings_;
  std::vector<Window> windows_;
  std::deque<BroughtPages> brought_;
  std::atomic<std::uint64_t> found_ = 0;
};

// Importance matrices are as large as a thousandth of their models.
std::vector<std::byte> whole_copy(const File& file) {
  constexpr std::uint64_t kMost = std::uint64_t{2} << 30;
  if (file.size() > kMost) {
    throw Error(ErrorCode::input_open, "is too large to be held in memory",
                {.file = file.path(), .cure = "Download it first"});
  }
  std::vector<std::byte> copy(file.size());
  file.read_at(0, copy);
  return copy;
}

}  // namespace

struct MappedFile::State {
  File file;
  std::optional<Mapping> mapping;  // none: the file is remote, and in memory
  std::vector<std::byte> copy;
};

MappedFile::MappedFile(File file) {
  if (file.remote()) {
    std::vector<std::byte> copy = whole_copy(file);
    state_ = std::make_unique<State>(State{std::move(file), std::nullopt, std::move(copy)});
    return;
  }
  try {
    Mapping mapping(file);
    state_ = std::make_unique<State>(State{std::move(file), std::move(mapping), {}});
  } catch (const CannotMap& failed) {
    throw Error(ErrorCode::input_open, std::string("cannot be mapped: ") + failed.what(),
                {.file = file.path(),
                 .cure = open_cure(failed.error_number, "Put the file on a local disk")});
  }
}

MappedFile::~MappedFile() = default;
MappedFile::MappedFile(MappedFile&&) noexcept = default;
MappedFile& MappedFile::operator=(MappedFile&&) noexcept = default;

const File& MappedFile::file() const {
  return state_->file;
}

std::span<const std::byte> MappedFile::bytes() const {
  return state_->mapping ? state_->mapping->bytes() : state_->copy;
}

void MappedFile::check() const {
  if (!state_->mapping) return;
  const std::exception_ptr error = state_->mapping->fault_before(bytes().size(), state_->file);
  if (error) std::rethrow_exception(error);
}

std::unique_ptr<Source> open_mapped_source(std::vector<const File*> files, std::string& reason) {
  std::vector<Mapping> mappings;
  try {
    for (const File* file : files) mappings.emplace_back(*file);
  } catch (const CannotMap& failed) {
    reason = std::string("the input cannot be mapped (") + failed.what() + ")";
    return nullptr;
  }
  return std::make_unique<MappedSource>(std::move(files), std::move(mappings));
}

}  // namespace sluice::io
