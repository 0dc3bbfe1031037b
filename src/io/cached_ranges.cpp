#include "io/cached_ranges.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/checked.h"
#include "sluice/error.h"

namespace sluice::io {
namespace {

// Less than this between two things to be read is read with them: it takes a disk of 100 MB/s a
// millisecond, and an SSD less than another request.
constexpr std::size_t kLeastBetween = std::size_t{128} << 10;

/// What of a range is not cached. \param pages  for each page that it touches, whether it is
std::vector<ReadRange> missing_of(const ReadRange& range, const std::vector<bool>& pages) {
  constexpr std::uint64_t kPage = CachedPages::kPage;
  const std::uint64_t end = range.offset + range.size;
  std::vector<ReadRange> missing;
  std::uint64_t at = range.offset;
  for (const bool cached : pages) {
    const std::uint64_t next = std::min(end, align_down(at, kPage) + kPage);
    if (!cached) {
      if (missing.empty() || at - (missing.back().offset + missing.back().size) >= kLeastBetween) {
        missing.push_back({range.part, at, 0});
      }
      missing.back().size = next - missing.back().offset;
    }
    at = next;
  }
  return missing;
}

}  // namespace

CachedRanges::CachedRanges(std::vector<const File*> files) : files_(std::move(files)) {
  for (const File* file : files_) pages_.emplace_back(*file);
}

std::vector<ReadRange> CachedRanges::missing(const ReadRange& range, std::span<std::byte> bytes) {
  std::vector<ReadRange> missing =
      missing_of(range, pages_[range.part].look(range.offset, range.offset + range.size));
  std::vector<Copy> copies;
  std::uint64_t at = range.offset;
  const auto copy_until = [&](std::uint64_t end) {
    if (at == end) return;
    copies.push_back({files_[range.part], at, bytes.subspan(at - range.offset, end - at)});
  };
  for (const ReadRange& hole : missing) {
    copy_until(hole.offset);
    at = hole.offset + hole.size;
  }
  copy_until(range.offset + range.size);
  const std::lock_guard lock(mutex_);
  copies_.insert_or_assign(bytes.data(), std::move(copies));
  return missing;
}

// What has left the page cache meanwhile is read through it after all.
void CachedRanges::fill(std::span<const std::byte> bytes) {
  std::vector<Copy> copies;
  {
    const std::lock_guard lock(mutex_);
    if (auto known = copies_.extract(bytes.data())) copies = std::move(known.mapped());
  }
  for (const Copy& copy : copies) {
    const std::size_t got = copy.file->read_at(copy.offset, copy.place);
    if (got < copy.place.size()) {
      std::rethrow_exception(shrunk_error(*copy.file, copy.offset + got));
    }
    bytes_ += got;
  }
}

}  // namespace sluice::io
