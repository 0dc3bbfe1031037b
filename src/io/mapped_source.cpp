#include "io/mapped_source.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "base/checked.h"
#include "io/bus_guard.h"
#include "sluice/error.h"
#include "sluice/used_files.h"

namespace sluice::io {
namespace {

namespace ipc = boost::interprocess;

constexpr std::size_t kPage = 4096;

/// A whole file in memory, whose pages may go missing without ending the process.
class Mapping {
 public:
  /// \throws ipc::interprocess_exception; Error (input_changed) if the name has become another's
  explicit Mapping(const File& file) : region_(map_whole(file)), guard_(bytes()) {}

  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(region_.get_address()), region_.get_size()};
  }

  /// Brings pages in on this thread, so that compute workers do not wait for the disk. Pages that
  /// cannot be had are left to `fault_before`.
  void populate(const ReadRange& range) const {
    const std::byte* begin = bytes().data() + range.offset;
    const std::uintptr_t first = align_down(reinterpret_cast<std::uintptr_t>(begin), kPage);
    const std::size_t length = reinterpret_cast<std::uintptr_t>(begin) + range.size - first;
    if (::madvise(reinterpret_cast<void*>(first), length, MADV_POPULATE_READ) == 0) return;
    // Kernels before 5.14 cannot do it, newer ones refuse where a page is missing: touching finds
    // out which.
    for (std::size_t i = 0; i < range.size && !guard_.first_fault(); i += kPage) {
      static_cast<void>(*const_cast<const volatile std::byte*>(begin + i));
    }
  }

  /// The Error if bytes before `end` are not, or were not when they were touched, those of the
  /// file; null if all is well. What a file lost within its last page reads as zeros without a
  /// fault, so its size counts too. It is asked for after the fault: a page that went missing
  /// because the file shrank, even one of another range, is then told from one that the disk failed
  /// to deliver.
  std::exception_ptr fault_before(std::uint64_t end, const File& file) const {
    const std::optional<std::size_t> fault = guard_.first_fault();
    const std::uint64_t size = file.size();
    if (size < end || (fault && size <= *fault)) return shrunk_error(file, size);
    if (!fault) return nullptr;
    return std::make_exception_ptr(
        Error(ErrorCode::input_read, "cannot be read: the disk failed or the file was changed",
              {.file = file.path(),
               .offset = *fault,
               .cure = "Check the disk; if the file was replaced meanwhile, start anew"}));
  }

 private:
  static ipc::mapped_region map_whole(const File& file) {
    if (file.size() == 0) return {};
    ipc::file_mapping mapping(file.path().c_str(), ipc::read_only);
    struct stat opened {};
    if (::fstat(mapping.get_mapping_handle().handle, &opened) != 0 ||
        FileIdentity{opened.st_dev, opened.st_ino} != file.identity()) {
      throw Error(ErrorCode::input_changed, "was replaced while it was opened",
                  {.file = file.path(), .cure = "Run the same command again"});
    }
    return {mapping, ipc::read_only};
  }

  ipc::mapped_region region_;
  BusGuard guard_;  // goes before the region
};

/// Which pages of a file nobody needs any more. Ranges share pages with their neighbours, and the
/// page cache's folios with more of them; such a page is given back with the last range in it.
class Window {
 public:
  void begin_use(const ReadRange& range) {
    const std::lock_guard lock(mutex_);
    in_use_.emplace(range.offset, range.offset + range.size);
    read_until_ = std::max(read_until_, range.offset + range.size);
  }

  /// Ends the use of a range and takes its pages out of the mapping and out of the page cache.
  void end_use(const ReadRange& range, const Mapping& mapping, const File& file) {
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
    file.drop_cached(align_down(range.offset, File::kLargestFolio), whole_folio ? folio_end : end);
  }

 private:
  std::mutex mutex_;
  std::multimap<std::uint64_t, std::uint64_t> in_use_;  // ranges: offset and end
  std::uint64_t read_until_ = 0;                        // the end of the last range
};

class MappedSource final : public Source {
 public:
  MappedSource(std::vector<const File*> files, std::vector<Mapping> mappings)
      : files_(std::move(files)), mappings_(std::move(mappings)), windows_(files_.size()) {}

  std::string_view name() const override { return "mmap"; }

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
        files_[range.part]->prefetch(range.offset, range.size + kReadAhead);
        mapping.populate(range);
        error = mapping.fault_before(range.offset + range.size, *files_[range.part]);
      }
    } catch (...) {
      error = std::current_exception();
    }
    done(bytes, error);
  }

  void check(const ReadRange& range) const override {
    const std::exception_ptr error =
        mappings_[range.part].fault_before(range.offset + range.size, *files_[range.part]);
    if (error) std::rethrow_exception(error);
  }

  void release(const ReadRange& range) override {
    windows_[range.part].end_use(range, mappings_[range.part], *files_[range.part]);
  }

 private:
  const std::vector<const File*> files_;
  std::vector<Mapping> mappings_;
  std::vector<Window> windows_;
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
  } catch (const ipc::interprocess_exception& error) {
    throw Error(ErrorCode::input_open, std::string("cannot be mapped: ") + error.what(),
                {.file = file.path(),
                 .cure = open_cure(error.get_native_error(), "Put the file on a local disk")});
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
  } catch (const ipc::interprocess_exception& error) {
    reason = std::string("the input cannot be mapped (") + error.what() + ")";
    return nullptr;
  }
  return std::make_unique<MappedSource>(std::move(files), std::move(mappings));
}

}  // namespace sluice::io
